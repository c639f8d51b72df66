// What kind of body a client wants with a 402, from its `Accept` header (RFC 9110 section 12.5.1).

export type RefusalBody = 'html' | 'json' | 'text' | 'none'

/** Who names nothing, or takes anything, gets a line of text: a person at a terminal reads it. */
export function wantedBody(accept: string): RefusalBody {
  if (accept.trim() === '') return 'text'
  const ranges = accept
    .split(',')
    .map(parseRange)
    .filter(({ quality }) => quality > 0)
  const best = ranges.reduce<number>((most, { quality }) => Math.max(most, quality), 0)
  const first = ranges.find(({ quality }) => quality === best)
  if (first?.type === 'text/html' || first?.type === 'application/xhtml+xml') return 'html'
  if (ranges.some(({ type }) => /^application\/(?:problem\+)?json$/.test(type))) return 'json'
  return ranges.some(({ type }) => /^(?:\*\/\*|text\/(?:\*|plain))$/.test(type)) ? 'text' : 'none'
}

function parseRange(text: string): { readonly type: string; readonly quality: number } {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase())
  const given = parameters.find((parameter) => parameter.startsWith('q='))
  const quality = given === undefined ? 1 : Number(given.slice(2))
  return { type, quality: Number.isFinite(quality) ? quality : 0 }
}
