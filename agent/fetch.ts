// A function like the platform's `fetch` that pays. For programs that have fetch and nothing else.
import { Readable } from 'node:stream'
import type { HeaderFields } from '../protocol/index.ts'
import type { Agent, RequestOptions } from './options.ts'

export type PayingFetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>

/** What is different from a plain request, for every request of this function. */
export type FetchPayment = Pick<RequestOptions, 'job' | 'mostPrice'>

const withoutBody = new Set([101, 204, 205, 304])

/**
 * `fetch` of the WHATWG standard, paid by `agent`. A body is read whole before it is sent, because it
 * may have to be sent again; redirects are not followed, because payments must not reach another host.
 * @throws UraidenError in place of fetch's TypeError: those of the agent's `stream`
 * @example
 * const paid = payingFetch(agent, { mostPrice: 10n })
 * const reading = await (await paid('http://192.168.1.10:8080/reading')).json()
 */
export function payingFetch(agent: Agent, payment: FetchPayment = {}): PayingFetch {
  return async (input, init) => {
    const request = new Request(input, init)
    const body = request.body === null ? undefined : new Uint8Array(await request.arrayBuffer())
    const {
      status,
      headers,
      body: stream,
    } = await agent.stream(request.url, {
      ...payment,
      method: request.method,
      headers: headerFields(request.headers),
      signal: request.signal,
      ...(body !== undefined && { body }),
    })
    const empty = withoutBody.has(status) || request.method === 'HEAD'
    if (empty) stream.resume()
    return new Response(empty ? null : (Readable.toWeb(stream) as ReadableStream), {
      status,
      headers: responseHeaders(headers),
    })
  }
}

function headerFields(headers: Headers): HeaderFields {
  return Object.fromEntries(headers)
}

/** The transport has decoded the body already, so its length and encoding are no longer true. */
const ofTheEncodedBody = new Set(['content-encoding', 'content-length'])

function responseHeaders(received: NodeJS.Dict<string | string[]>): Headers {
  const headers = new Headers()
  const encoded = received['content-encoding'] !== undefined
  for (const [name, value] of Object.entries(received)) {
    if (value === undefined || (encoded && ofTheEncodedBody.has(name))) continue
    for (const each of Array.isArray(value) ? value : [value]) headers.append(name, each)
  }
  return headers
}
