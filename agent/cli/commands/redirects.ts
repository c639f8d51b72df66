// Redirects as `get -L` follows them: each hop is a purchase of its own, under the same limits.

import { agentError } from '../../errors/index.ts'
import type { AgentStream, RequestOptions } from '../../options.ts'

export interface Hop {
  readonly url: URL
  readonly options: RequestOptions
}

/** An answer at the end of a chain of redirects, and those before it. */
export interface Followed {
  readonly answer: AgentStream
  readonly url: URL
  readonly before: readonly { readonly url: URL; readonly answer: AgentStream }[]
}

/** As curl has it, many more than anybody needs who means well. */
const mostHops = 10
/** Bytes of the text that says where to go. */
const mostText = 64 << 10

/** @throws UraidenError `redirect_refused`, and what `ask` throws */
export async function follow(
  first: Hop,
  ask: (hop: Hop) => Promise<AgentStream>,
): Promise<Followed> {
  const before: { readonly url: URL; readonly answer: AgentStream }[] = []
  let hop = first
  while (true) {
    const answer = await ask(hop)
    const next = nextHop(hop, answer)
    if (next === undefined) return { answer, url: hop.url, before }
    before.push({ url: hop.url, answer })
    await drain(answer)
    if (before.length > mostHops) throw refused(hop.url, `it is one of more than ${mostHops}`)
    hop = next
  }
}

/**
 * Undefined for an answer that is no redirect. RFC 9110 section 15.4: 303, and of old 301 and 302 after a POST,
 * turn into a GET; what was for one origin does not go to another.
 * @throws UraidenError `redirect_refused`
 */
export function nextHop(
  { url, options }: Hop,
  { status, headers }: Pick<AgentStream, 'status' | 'headers'>,
): Hop | undefined {
  const { location } = headers
  if (![301, 302, 303, 307, 308].includes(status) || typeof location !== 'string') return undefined
  const next = URL.canParse(location, url.href) ? new URL(location, url) : undefined
  if (next === undefined || !/^https?:$/.test(next.protocol)) {
    throw refused(url, 'it leads to no http:// or https:// URL')
  }
  if (url.protocol === 'https:' && next.protocol === 'http:') {
    throw refused(url, 'it leads from https to http')
  }
  // RFC 9110 section 10.2.2: the fragment is the one that was asked for, unless there is another; it is not sent.
  next.hash = ''
  const { method = 'GET' } = options
  const becomesGet = (status === 303 && method !== 'HEAD') || (status <= 302 && method === 'POST')
  const { body, ...rest } = options
  return {
    url: next,
    options: {
      ...rest,
      ...(becomesGet ? { method: 'GET' } : body !== undefined && { body }),
      headers: headersFor(next.origin === url.origin ? 'same' : 'other', becomesGet, options),
    },
  }
}

function headersFor(
  origin: 'same' | 'other',
  becomesGet: boolean,
  { headers = {} }: RequestOptions,
): NonNullable<RequestOptions['headers']> {
  const isPrivate = (name: string) =>
    /^(?:authorization|cookie|proxy-authorization|rdn-.*)$/.test(name.toLowerCase())
  const isOfBody = (name: string) => /^content-/.test(name.toLowerCase())
  return Object.fromEntries(
    Object.entries(headers).filter(
      ([name]) => !(origin === 'other' && isPrivate(name)) && !(becomesGet && isOfBody(name)),
    ),
  )
}

async function drain({ body }: AgentStream): Promise<void> {
  let read = 0
  for await (const chunk of body) {
    read += (chunk as Uint8Array).length
    // It was paid for, and nobody wants it.
    if (read > mostText) break
  }
}

function refused({ origin }: URL, why: string) {
  return agentError({
    code: 'redirect_refused',
    message: `A redirect of ${origin} is not followed: ${why}.`,
  })
}
