// One HTTP request, one answer. Redirects are not followed, because payment headers must not reach
// another host, and nothing is repeated here: a repeated payment is a decision of the exchange.

import { X509Certificate } from 'node:crypto'
import { type Duplex, pipeline, type Readable } from 'node:stream'
import type { Options, PlainResponse, RequestError } from 'got'
import { once } from '../../platform/async/once.ts'
import { createRoom, type Room } from '../../platform/async/room.ts'
import { type FieldLines, fieldLines } from '../../protocol/bound/index.ts'
import type { HeaderFields, HeaderSource, TokenAmount } from '../../protocol/index.ts'
import { agentError } from '../errors/index.ts'
import { transportError } from './transport-errors.ts'

export interface HttpRequest {
  readonly method: string
  readonly url: URL
  readonly headers: HeaderFields
  readonly body?: string | Uint8Array
  readonly signal?: AbortSignal
  /** Longest wait for a whole answer, in milliseconds; the transport's own when not given. */
  readonly timeout?: number
  readonly content?: ContentForm
  /** `body`: as a whole, and nobody reads the stream. */
  readonly read?: 'body' | 'stream'
  /** Most bytes of the answer's body when it is read as a whole, decoded; the transport's own when not given. */
  readonly mostBody?: number
}

/** Of an answer of a channel API: some fields, one proof. */
export const mostApiAnswer = 64 << 10

/** `decoded`: without its content coding (RFC 9110 section 8.4), which is the default; or as it came. */
export type ContentForm = 'decoded' | 'asSent'

/** An answer whose body has not been read yet. */
export interface OpenAnswer {
  readonly status: number
  readonly header: HeaderSource
  readonly headers: NodeJS.Dict<string | string[]>
  /** The same as they came: every line of them. */
  readonly fields: FieldLines
  readonly stream: Readable
  /** Where what it cost is certain at its end only: by its receipt; undefined before, and when there is none. */
  readonly costAtEnd?: () => TokenAmount | undefined
  /** The same answer with its body passed through these: an error of any of them ends it. */
  readonly through: (parts: readonly Duplex[]) => OpenAnswer
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

/**
 * For the name and the connection, in milliseconds. A host that has not answered by then is not there, and
 * nothing was sent; without a limit of its own a network that is gone would look like a lost answer.
 */
const longestConnect = 10_000

/**
 * Bytes of all bodies that are being read as a whole. One that does not fit waits for the others, also when
 * it alone is larger. A receiver decides how large its answers get, and a machine has memory for some.
 */
const mostRead = 32 << 20

export function createTransport(options: TransportOptions = {}): Transport {
  const { timeout = 30_000, mostBody = 64 * 2 ** 20, tls = {} } = options
  const https = httpsOptions(tls)
  const room = createRoom(mostRead)
  const load = once(async () => {
    // An agent that waits for its first purchase does without its memory.
    const { default: got, RequestError } = await import('got')
    const http = got.extend({
      followRedirect: false,
      throwHttpErrors: false,
      retry: { limit: 0 },
      timeout: { request: timeout, lookup: longestConnect, connect: longestConnect },
      https,
    })
    const isOfRequest = (error: unknown): error is RequestError => error instanceof RequestError
    return { http, isOfRequest }
  })
  return {
    send: async (request) => {
      const { http, isOfRequest } = await load()
      const told = (error: unknown): unknown =>
        isOfRequest(error) ? transportError(request, error) : error
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
      const response = await firstResponse(stream, told)
      const most = request.mostBody ?? mostBody
      return openAnswer(response, stream, { origin: url.origin, told, mostBody: most, room })
    },
  }
}

interface Reading {
  readonly origin: string
  readonly told: Telling
  readonly mostBody: number
  readonly room: Room
}

function openAnswer(response: PlainResponse, stream: Readable, reading: Reading): OpenAnswer {
  const { statusCode, headers, rawHeaders } = response
  let whole: Promise<Uint8Array> | undefined
  return {
    status: statusCode,
    ...{ headers, header: headerSource(headers), fields: fieldLines(rawHeaders), stream },
    through: (parts) => {
      const last = parts.at(-1)
      if (last === undefined) return openAnswer(response, stream, reading)
      // Whoever reads the last one sees the error; that nobody reads it is none.
      last.on('error', () => undefined)
      pipeline([stream, ...parts], () => undefined)
      return openAnswer(response, last, reading)
    },
    body: () => {
      whole ??= readInTurn(stream, reading, announced(fieldLines(rawHeaders)))
      return whole
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

/** Says in our words why a request failed. */
type Telling = (error: unknown) => unknown

function firstResponse(stream: Readable, told: Telling): Promise<PlainResponse> {
  return new Promise((resolve, reject) => {
    stream.once('response', resolve)
    // Stays on: an error after the response belongs to the body, and its reader sees it.
    stream.on('error', (error) => reject(told(error)))
  })
}

/** The body's length where its sender says it; of a coded one it says what it is before it is decoded. */
function announced(fields: FieldLines): number | undefined {
  const of = (wanted: string) => fields.find(([name]) => name.toLowerCase() === wanted)?.[1]
  const length = of('content-length')
  return length === undefined || of('content-encoding') !== undefined ? undefined : Number(length)
}

async function readInTurn(
  stream: Readable,
  reading: Reading,
  length: number | undefined,
): Promise<Uint8Array> {
  const { room, mostBody } = reading
  const size = Math.min(length ?? mostBody, mostBody)
  // The receipt of a body is read while the body is.
  if (size <= mostApiAnswer || stream.destroyed) return readAll(stream, reading)
  const gone = new AbortController()
  const leave = () => gone.abort()
  // Nobody reads yet: an answer that breaks off meanwhile needs no place.
  stream.once('error', leave)
  const free = await room.take(size, gone.signal)
  stream.off('error', leave)
  try {
    return await readAll(stream, reading)
  } finally {
    free()
  }
}

async function readAll(
  stream: Readable,
  { origin, told, mostBody: most }: Reading,
): Promise<Uint8Array> {
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of stream) {
      size += chunk.length
      if (size > most) break
      chunks.push(chunk)
    }
  } catch (error) {
    throw told(error)
  }
  if (size <= most) return Buffer.concat(chunks)
  stream.destroy()
  throw agentError({
    code: 'answer_too_large',
    message: `The answer of ${origin} has more than ${most} bytes.`,
  })
}

function headerSource(headers: NodeJS.Dict<string | string[]>): HeaderSource {
  return (name) => {
    const value = headers[name.toLowerCase()]
    return Array.isArray(value) ? value.join(', ') : value
  }
}
