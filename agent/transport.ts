// One HTTP request, one answer. Redirects are not followed, because payment headers must not reach
// another host, and nothing is repeated here: a repeated payment is a decision of the exchange.
import got, { type Got, RequestError } from 'got'
import { type HeaderFields, type HeaderSource, UraidenError } from '../protocol/index.ts'

export interface HttpRequest {
  readonly method: string
  readonly url: URL
  readonly headers: HeaderFields
  readonly body?: string | Uint8Array
  readonly signal?: AbortSignal
}

export interface HttpAnswer {
  readonly status: number
  readonly header: HeaderSource
  readonly body: Uint8Array
}

export interface Transport {
  /** @throws UraidenError `receiver_unreachable`, `answer_lost`, `aborted` */
  readonly send: (request: HttpRequest) => Promise<HttpAnswer>
}

export interface TransportOptions {
  /** Longest wait for a whole answer, in milliseconds. */
  readonly timeout?: number
}

/** Nothing of the request has left when one of these happens. */
const neverSent = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'])

export function createTransport({ timeout = 30_000 }: TransportOptions = {}): Transport {
  const http: Got = got.extend({
    followRedirect: false,
    throwHttpErrors: false,
    retry: { limit: 0 },
    timeout: { request: timeout },
    responseType: 'buffer',
  })
  return {
    send: async ({ method, url, headers, body, signal }) => {
      try {
        const {
          statusCode,
          headers: received,
          rawBody,
        } = await http(url, {
          method: method as 'GET',
          headers: { ...headers },
          ...(body !== undefined && { body }),
          ...(signal && { signal }),
        })
        return { status: statusCode, header: headerSource(received), body: rawBody }
      } catch (error) {
        throw transportError(url, error)
      }
    },
  }
}

function headerSource(headers: NodeJS.Dict<string | string[]>): HeaderSource {
  return (name) => {
    const value = headers[name.toLowerCase()]
    return Array.isArray(value) ? value.join(', ') : value
  }
}

function transportError(url: URL, error: unknown): unknown {
  if (!(error instanceof RequestError)) return error
  if (error.code === 'ERR_ABORTED') {
    return new UraidenError({
      code: 'aborted',
      message: `The request to ${url.origin} was aborted.`,
      hint: 'If a payment was on its way, it stays counted until the receiver says where the channel stands.',
      cause: error,
    })
  }
  if (neverSent.has(error.code)) {
    return new UraidenError({
      code: 'receiver_unreachable',
      message: `${url.origin} cannot be reached (${error.code}).`,
      hint: 'Check the address, the network, and that the receiver runs. Nothing was sent.',
      cause: error,
    })
  }
  return new UraidenError({
    code: 'answer_lost',
    message: `No answer came from ${url.origin} (${error.code}).`,
    hint: 'If a payment was on its way, it stays counted until the receiver says where the channel stands.',
    cause: error,
  })
}
