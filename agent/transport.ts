// One HTTP request, one answer. Redirects are not followed, because payment headers must not reach
// another host, and nothing is repeated here: a repeated payment is a decision of the exchange.
import { createHash } from 'node:crypto'
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
}

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
  /** SHA-256 of the only certificate that is accepted, in hex; colons may stand between bytes. */
  readonly pinned?: string
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
      const { method, url, headers, body, signal, timeout: own } = request
      const stream = http.stream(url, {
        method: method as 'GET',
        headers: { ...headers },
        ...(body !== undefined && { body }),
        ...(signal && { signal }),
        ...(own !== undefined && { timeout: { request: own } }),
      })
      const { statusCode, headers: received } = await firstResponse(url, stream)
      let whole: Promise<Uint8Array> | undefined
      return {
        status: statusCode,
        headers: received,
        header: headerSource(received),
        stream,
        body: () => {
          whole ??= readAll(url, stream, mostBody)
          return whole
        },
      }
    },
  }
}

function httpsOptions({ authority, pinned }: TlsTrust): NonNullable<Options['https']> {
  if (pinned === undefined)
    return authority === undefined ? {} : { certificateAuthority: authority }
  const wanted = pinned.replaceAll(':', '').toLowerCase()
  return {
    // The one certificate is known, so who issued it does not matter; a wrong one is refused below,
    // after the handshake and before the request is written.
    ...(authority === undefined ? {} : { certificateAuthority: authority }),
    checkServerIdentity: (_, certificate) => {
      const found = createHash('sha256').update(certificate.raw).digest('hex')
      if (found === wanted) return undefined
      return Object.assign(new Error(`the certificate ${found} is not the pinned one`), {
        code: 'ERR_CERTIFICATE_NOT_PINNED',
      })
    },
  }
}

function firstResponse(url: URL, stream: Readable): Promise<PlainResponse> {
  return new Promise((resolve, reject) => {
    stream.once('response', resolve)
    // Stays on: an error after the response belongs to the body, and whoever reads that sees it.
    stream.on('error', (error) => reject(transportError(url, error)))
  })
}

async function readAll(url: URL, stream: Readable, most: number): Promise<Uint8Array> {
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of stream) {
      size += chunk.length
      if (size > most) break
      chunks.push(chunk)
    }
  } catch (error) {
    throw transportError(url, error)
  }
  if (size <= most) return Buffer.concat(chunks)
  stream.destroy()
  throw new UraidenError({
    code: 'answer_too_large',
    message: `The answer of ${url.origin} has more than ${most} bytes.`,
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

function transportError(url: URL, error: unknown): unknown {
  if (!(error instanceof RequestError)) return error
  const { code, message } = error
  if (code === 'ERR_ABORTED') {
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
