// What kind of body a client wants with a 402, from its `Accept` header (RFC 9110 section 12.5.1).

export type RefusalBody = 'html' | 'json' | 'none'

/** `*\/*` alone gets the original's empty body. */
export function wantedBody(accept: string): RefusalBody {
  const ranges = accept
    .split(',')
    .map(parseRange)
    .filter(({ quality }) => quality > 0)
  const best = ranges.reduce<number>((most, { quality }) => Math.max(most, quality), 0)
  const first = ranges.find(({ quality }) => quality === best)
  if (first?.type === 'text/html' || first?.type === 'application/xhtml+xml') return 'html'
  return ranges.some(({ type }) => /^application\/(?:problem\+)?json$/.test(type)) ? 'json' : 'none'
}

function parseRange(text: string): { readonly type: string; readonly quality: number } {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase())
  const given = parameters.find((parameter) => parameter.startsWith('q='))
  const quality = given === undefined ? 1 : Number(given.slice(2))
  return { type, quality: Number.isFinite(quality) ? quality : 0 }
}
