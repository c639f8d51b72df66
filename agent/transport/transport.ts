// One HTTP request, one answer. Redirects are not followed, because payment headers must not reach
// another host, and nothing is repeated here: a repeated payment is a decision of the exchange.

import { X509Certificate } from 'node:crypto'
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http'
import { type RequestOptions as HttpsOptions, request as httpsRequest } from 'node:https'
import type { Socket } from 'node:net'
import { type Duplex, pipeline, type Readable } from 'node:stream'
import { createRoom, type Room } from '../../platform/async/room.ts'
import { type FieldLines, fieldLines } from '../../protocol/bound/index.ts'
import type { HeaderFields, HeaderSource, TokenAmount } from '../../protocol/index.ts'
import { agentError } from '../errors/index.ts'
import { decoders, knownCodings } from './codings.ts'
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
  const trust = trustOf(tls)
  const room = createRoom(mostRead)
  return {
    send: async (request) => {
      const told = (error: unknown): unknown => transportError(request, error)
      const response = await firstResponse(request, { timeout, trust }).catch((error) => {
        throw told(error)
      })
      const { origin } = request.url
      const reading = { origin, told, mostBody: request.mostBody ?? mostBody, room }
      const answer = openAnswer(response, response, reading)
      return request.content === 'asSent' ? answer : decoded(answer, request)
    },
  }
}

interface Sending {
  /** In milliseconds. */
  readonly timeout: number
  readonly trust: HttpsOptions
}

/** Sends it and resolves with the head of the answer. */
function firstResponse(
  request: HttpRequest,
  { timeout, trust }: Sending,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const { signal, body } = request
    if (signal?.aborted) return reject(signal.reason)
    const sent = begin(request, trust)
    let response: IncomingMessage | undefined
    // Whoever reads an answer that has begun sees in it why it ends.
    const end = (error: Error): void => void (response ?? sent).destroy(error)
    const abort = (): void => end(new Error('aborted'))
    const late = (): void => end(failure('ETIMEDOUT', 'It took too long.'))
    const timer = setTimeout(late, request.timeout ?? timeout)
    signal?.addEventListener('abort', abort)
    const over = (): void => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', abort)
    }
    sent
      .once('socket', limitConnecting)
      .once('response', (received: IncomingMessage) => {
        response = received
        // That nobody reads it is no error.
        received.on('error', over)
        resolve(received)
      })
      // Stays on: an error after the response belongs to the body, and its reader sees it.
      .on('error', (error) => {
        over()
        reject(error)
      })
      .once('close', () => {
        over()
        if (response === undefined) reject(failure('ECONNRESET', 'The connection was closed.'))
      })
      .end(body)
  })
}

function begin({ method, url, headers, body, content }: HttpRequest, trust: HttpsOptions) {
  const given: { [name: string]: string | number } = { ...headers }
  const names = new Set(Object.keys(headers).map((name) => name.toLowerCase()))
  if (content !== 'asSent' && !names.has('accept-encoding')) given['accept-encoding'] = knownCodings
  // Node says it of methods that usually have a body only.
  if (body !== undefined && body.length > 0 && !names.has('content-length')) {
    given['content-length'] = Buffer.byteLength(body)
  }
  return url.protocol === 'https:'
    ? httpsRequest(url, { ...trust, method, headers: given })
    : httpRequest(url, { method, headers: given })
}

/** A keep-alive connection is there already. */
function limitConnecting(this: ClientRequest, socket: Socket): void {
  if (!socket.connecting) return
  const late = (): void => {
    const error = failure('ETIMEDOUT', 'There was no connection in time.')
    this.destroy(Object.assign(error, { syscall: 'connect' }))
  }
  const timer = setTimeout(late, longestConnect)
  const over = (): void => clearTimeout(timer)
  socket.once('connect', over).once('close', over)
}

function failure(code: string, message: string): Error {
  return Object.assign(new Error(message), { code })
}

const withoutContent = new Set([204, 205, 304])

function decoded(answer: OpenAnswer, { method }: HttpRequest): OpenAnswer {
  const { 'content-encoding': coding, 'content-length': length } = answer.headers
  const isEmpty = method === 'HEAD' || withoutContent.has(answer.status) || length === '0'
  return coding === undefined || isEmpty ? answer : answer.through(decoders(coding))
}

interface Reading {
  readonly origin: string
  readonly told: Telling
  readonly mostBody: number
  readonly room: Room
}

function openAnswer(response: IncomingMessage, stream: Readable, reading: Reading): OpenAnswer {
  const { statusCode = 0, headers, rawHeaders } = response
  const fields = fieldLines(rawHeaders)
  let whole: Promise<Uint8Array> | undefined
  return {
    status: statusCode,
    ...{ headers, header: headerSource(headers), fields, stream },
    through: (parts) => {
      const last = parts.at(-1)
      if (last === undefined) return openAnswer(response, stream, reading)
      // Whoever reads the last one sees the error; that nobody reads it is none.
      last.on('error', () => undefined)
      pipeline([stream, ...parts], () => undefined)
      return openAnswer(response, last, reading)
    },
    body: () => {
      whole ??= readInTurn(stream, reading, announced(fields))
      return whole
    },
  }
}

function trustOf({ authority, pinned }: TlsTrust): HttpsOptions {
  if (pinned === undefined) return authority === undefined ? {} : { ca: authority }
  const wanted = new X509Certificate(pinned).fingerprint256
  return {
    ca: pinned,
    // Asked after the handshake and before the request is written.
    checkServerIdentity: (_, { fingerprint256 }) =>
      fingerprint256 === wanted
        ? undefined
        : failure(
            'ERR_CERTIFICATE_NOT_PINNED',
            `the certificate ${fingerprint256} is not the pinned one`,
          ),
  }
}

/** Says in our words why a request failed. */
type Telling = (error: unknown) => unknown

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
  await new Promise<void>((resolve, reject) => {
    const fail = (error: unknown): void => reject(told(error))
    const closed = (): void => {
      if (stream.readableEnded) resolve()
      else fail(stream.errored ?? failure('ECONNRESET', 'It broke off.'))
    }
    if (stream.destroyed) return closed()
    stream.once('error', fail).once('end', resolve).once('close', closed)
    stream.on('data', (chunk: Buffer) => {
      size += chunk.length
      chunks.push(chunk)
      if (size > most) resolve()
    })
  })
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
