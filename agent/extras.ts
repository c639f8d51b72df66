// The agent in the forms that programs have already: a function like the platform's `fetch`, and a got
// instance, `gotPayments(agent)` or `mine.extend(gotPayments(agent))` with options of one's own.
import { Readable } from 'node:stream'
import got, { type Got, type NormalizedOptions } from 'got'
import type { HeaderFields } from '../protocol/index.ts'
import type { Agent, RequestOptions } from './options.ts'

export type PayingFetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>

/** What is different from a plain request, for every request. */
export type PaymentOptions = Pick<RequestOptions, 'job' | 'mostPrice'>

const withoutBody = new Set([101, 204, 205, 304])

/**
 * `fetch` of the WHATWG standard, paid by `agent`. A body is read whole before it is sent, because it
 * may have to be sent again; redirects are not followed, because payments must not reach another host.
 * @throws UraidenError in place of fetch's TypeError: those of the agent's `stream`
 * @example
 * const paid = payingFetch(agent, { mostPrice: 10n })
 * const reading = await (await paid('http://192.168.1.10:8080/reading')).json()
 */
export function payingFetch(agent: Agent, payment: PaymentOptions = {}): PayingFetch {
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
      headers: Object.fromEntries(request.headers),
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

/**
 * A got instance whose requests are sent and paid by `agent`. The agent's own time limits and TLS trust
 * hold. got repeats nothing, because a repeated request would be paid twice, and follows no redirect.
 * @example
 * const paid = gotPayments(agent, { job: 'weather' })
 * const reading = await paid('http://192.168.1.10:8080/reading').json()
 */
export function gotPayments(agent: Agent, payment: PaymentOptions = {}): Got {
  return got.extend({
    retry: { limit: 0 },
    followRedirect: false,
    // The agent's transport decodes; done twice it would fail.
    decompress: false,
    hooks: {
      beforeRequest: [
        async (options) => {
          const { status, headers, body } = await agent.stream(String(options.url), {
            ...payment,
            method: options.method,
            headers: headerFields(options.headers),
            ...bodyOf(options),
            ...(options.signal && { signal: options.signal }),
          })
          return incoming(status, headers, body) as never
        },
      ],
    },
  })
}

function bodyOf({ body }: NormalizedOptions): { readonly body?: string | Uint8Array } {
  if (body === undefined) return {}
  if (typeof body === 'string' || body instanceof Uint8Array) return { body }
  throw new TypeError('a body that is paid for must be text or bytes: it may have to be sent again')
}

function headerFields(headers: NodeJS.Dict<string | string[]>): HeaderFields {
  const fields: { [name: string]: string } = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) fields[name] = Array.isArray(value) ? value.join(', ') : value
  }
  return fields
}

/** What got reads of an answer in place of a node:http IncomingMessage. */
function incoming(
  statusCode: number,
  received: NodeJS.Dict<string | string[]>,
  body: Readable,
): Readable {
  const { 'content-encoding': _, ...headers } = received
  return Object.assign(Readable.from(body), { statusCode, headers, rawHeaders: [], complete: true })
}
