// One HTTP request, one answer. Redirects are not followed, because payment headers must not reach
// another host, and nothing is repeated here: a repeated payment is a decision of the exchange.
import { X509Certificate } from 'node:crypto'
import type { Readable } from 'node:stream'
import got, { type Got, type Options, type PlainResponse, RequestError } from 'got'
import { type HeaderFields, type HeaderSource, UraidenError } from '../protocol/index.ts'

export interface HttpRequest {
  readonly method: string
  readonly url: URL
  readonly headers: HeaderFields
  readonly body?: string | Uint8Array
  readonly signal?: AbortSignal
  /** Longest wait for a whole answer, in milliseconds; the transport's own when not given. */
  readonly timeout?: number
  readonly content?: ContentForm
}

/** `decoded`: without its content coding (RFC 9110 section 8.4), which is the default; or as it came. */
export type ContentForm = 'decoded' | 'asSent'

/** An answer whose body has not been read yet. */
export interface OpenAnswer {
  readonly status: number
  readonly header: HeaderSource
  readonly headers: NodeJS.Dict<string | string[]>
  readonly stream: Readable
  /**
   * The body as a whole.
   * @throws UraidenError `answer_lost`, `answer_too_large`, `aborted`
   */
  readonly body: () => Promise<Uint8Array>
}

export interface Transport {
  /**
   * @throws UraidenError `receiver_unreachable` and `receiver_untrusted` (nothing was sent),
   * `answer_lost`, `answer_malformed`, `aborted`
   */
  readonly send: (request: HttpRequest) => Promise<OpenAnswer>
}

export interface TransportOptions {
  /** Longest wait for a whole answer, in milliseconds. */
  readonly timeout?: number
  /** Most bytes of a body that is read as a whole; streams have no limit. */
  readonly mostBody?: number
  readonly tls?: TlsTrust
}

export interface TlsTrust {
  /** Certificates of one's own authority, PEM; they replace the machine's. */
  readonly authority?: string | Buffer
  /**
   * The only certificate that is accepted, self-signed, PEM. It needs not name the host: a device in a
   * home network has no name that anybody vouches for.
   */
  readonly pinned?: string | Buffer
}

/** Errors of DNS, TCP and TLS that happen before the first byte of a request leaves. */
const neverSent = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'])

const untrusted = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'ERR_CERTIFICATE_NOT_PINNED',
])

export function createTransport(options: TransportOptions = {}): Transport {
  const { timeout = 30_000, mostBody = 64 * 2 ** 20, tls = {} } = options
  const http: Got = got.extend({
    followRedirect: false,
    throwHttpErrors: false,
    retry: { limit: 0 },
    timeout: { request: timeout },
    https: httpsOptions(tls),
  })
  return {
    send: async (request) => {
      const { method, url, headers, body, signal, timeout: own, content } = request
      const link = signal && linkTo(signal)
      const stream = http.stream(url, {
        method: method as 'GET',
        headers: { ...headers },
        decompress: content !== 'asSent',
        ...(body !== undefined && { body }),
        ...(link && { signal: link.signal }),
        ...(own !== undefined && { timeout: { request: own } }),
      })
      if (link) for (const over of ['end', 'error', 'close']) stream.once(over, link.unlink)
      const { statusCode, headers: received } = await firstResponse(request, stream)
      let whole: Promise<Uint8Array> | undefined
      return {
        status: statusCode,
        headers: received,
        header: headerSource(received),
        stream,
        body: () => {
          whole ??= readAll(request, stream, mostBody)
          return whole
        },
      }
    },
  }
}

/**
 * A signal for one request that follows the caller's. got listens to a signal until its stream is
 * destroyed, and one that was read to its end is not: a caller's signal that lives for years would keep
 * every request.
 */
function linkTo(signal: AbortSignal): {
  readonly signal: AbortSignal
  readonly unlink: () => void
} {
  const own = new AbortController()
  const abort = (): void => own.abort(signal.reason)
  if (signal.aborted) abort()
  else signal.addEventListener('abort', abort, { once: true })
  return { signal: own.signal, unlink: () => signal.removeEventListener('abort', abort) }
}

function httpsOptions({ authority, pinned }: TlsTrust): NonNullable<Options['https']> {
  if (pinned === undefined) {
    return authority === undefined ? {} : { certificateAuthority: authority }
  }
  const wanted = new X509Certificate(pinned).fingerprint256
  return {
    certificateAuthority: pinned,
    // Asked after the handshake and before the request is written.
    checkServerIdentity: (_, { fingerprint256 }) =>
      fingerprint256 === wanted
        ? undefined
        : Object.assign(new Error(`the certificate ${fingerprint256} is not the pinned one`), {
            code: 'ERR_CERTIFICATE_NOT_PINNED',
          }),
  }
}

function firstResponse(request: HttpRequest, stream: Readable): Promise<PlainResponse> {
  return new Promise((resolve, reject) => {
    stream.once('response', resolve)
    // Stays on: an error after the response belongs to the body, and whoever reads that sees it.
    stream.on('error', (error) => reject(transportError(request, error)))
  })
}

async function readAll(request: HttpRequest, stream: Readable, most: number): Promise<Uint8Array> {
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of stream) {
      size += chunk.length
      if (size > most) break
      chunks.push(chunk)
    }
  } catch (error) {
    throw transportError(request, error)
  }
  if (size <= most) return Buffer.concat(chunks)
  stream.destroy()
  throw new UraidenError({
    code: 'answer_too_large',
    message: `The answer of ${request.url.origin} has more than ${most} bytes.`,
    hint: 'Read it as a stream, or raise mostBody.',
  })
}

function headerSource(headers: NodeJS.Dict<string | string[]>): HeaderSource {
  return (name) => {
    const value = headers[name.toLowerCase()]
    return Array.isArray(value) ? value.join(', ') : value
  }
}

const stillCounted =
  'If a payment was on its way, it stays counted until the receiver says where the channel stands.'

function transportError({ url, signal }: HttpRequest, error: unknown): unknown {
  if (!(error instanceof RequestError)) return error
  const { message } = error
  // An aborted signal's reason has a number there.
  const code = String(error.code)
  if (signal?.aborted) {
    const told = `The request to ${url.origin} was aborted.`
    return new UraidenError({ code: 'aborted', message: told, hint: stillCounted, cause: error })
  }
  if (neverSent.has(code)) {
    return new UraidenError({
      code: 'receiver_unreachable',
      message: `${url.origin} cannot be reached (${code}).`,
      hint: 'Check the address, the network, and that the receiver runs. Nothing was sent.',
      cause: error,
    })
  }
  if (untrusted.has(code)) {
    return new UraidenError({
      code: 'receiver_untrusted',
      message: `${url.origin} shows a certificate that is not trusted: ${message}.`,
      hint: 'Set tls.authority or tls.pinned to what you expect there. Nothing was sent.',
      cause: error,
    })
  }
  if (code.startsWith('HPE_')) {
    return new UraidenError({
      code: 'answer_malformed',
      message: `The answer of ${url.origin} is not HTTP that can be read (${code}).`,
      hint: stillCounted,
      cause: error,
    })
  }
  return new UraidenError({
    code: 'answer_lost',
    message: `No answer came from ${url.origin} (${code}).`,
    hint: stillCounted,
    cause: error,
  })
}
