// Bound requests over HTTP: what is sent is signed, and of what comes back only the receiver's own answer
// to exactly this request is an answer. Whatever else comes, somebody between wrote, or may have.

import { createHash } from 'node:crypto'
import { type Duplex, Transform } from 'node:stream'
import { once } from '../../platform/async/once.ts'
import { readAtMost } from '../../platform/http/read-at-most.ts'
import { hmac } from '../../platform/keys/bound.ts'
import {
  type AnswerContent,
  answerId,
  type BoundKeys,
  createNonce,
  equalBytes,
  formatAudience,
  formatContentDigest,
  originOf,
  parseBoundAnswer,
  parseReceipt,
  type ReceivedContent,
  signRequest,
  type VerifiedAnswer,
  verifyAnswer,
  verifyReceipt,
} from '../../protocol/bound/index.ts'
import {
  type HeaderFields,
  headerName,
  isUraidenError,
  type TokenAmount,
  type UraidenError,
} from '../../protocol/index.ts'
import { agentError } from '../errors/index.ts'
import { decoders, type ErrorInPlace, endingWith } from './codings.ts'
import { type HttpRequest, mostApiAnswer, type OpenAnswer, type Transport } from './transport.ts'

/** With whom, and where its channel API is. */
export interface BoundChannel {
  readonly keys: BoundKeys
  /** Root of the receiver's channel API. */
  readonly api: URL
}

/** What came back of a bound request. */
export type BoundReply =
  /** `header` and `headers` have of what may be acted on only what the receiver has signed. */
  | {
      readonly kind: 'authentic'
      readonly answer: OpenAnswer
      /** Fields that count only when they are signed, and are not: left out. */
      readonly added: readonly string[]
    }
  /** From whomever: nothing of it may be believed. */
  | {
      readonly kind: 'unproven'
      readonly status: number
      /** What a receiver says that cannot check our signature. */
      readonly code: string | undefined
      /** What is wrong with it. */
      readonly error: UraidenError
    }

export interface SignedRequest extends HttpRequest {
  /** Path and query are signed as those of this URL: to find out how they arrive. */
  readonly signedAs?: URL
}

/**
 * @throws UraidenError `unsignable_request` (nothing was sent), and those of the transport; the body of an
 * answer ends with `answer_lost` when it is not what the receiver sent
 */
export async function sendBound(
  transport: Transport,
  { signedAs, ...request }: SignedRequest,
  channel: BoundChannel,
): Promise<BoundReply> {
  const { headers, mac } = signed(request, signedAs ?? request.url, channel.keys)
  const answer = await transport.send({ ...request, headers, content: 'asSent' })
  const { status, fields } = answer
  const claimed = parseBoundAnswer({ status, fields }, { requestMac: mac })
  const verified = claimed.ok ? verifyAnswer(claimed.value, channel.keys, { hmac }) : claimed
  if (verified.ok) {
    const exchange = { transport, request, channel, mac, verified: verified.value }
    const { drop: added } = verified.value
    return { kind: 'authentic', answer: authentic(answer, exchange), added }
  }
  const code = await refusalCode(answer)
  // So says a gateway, or a receiver that cannot look up our key: it is away, and nobody has spoilt anything.
  const errorOf = status >= 500 ? notItsAnswer : unproven
  return { kind: 'unproven', status, code, error: errorOf(request.url, verified.detail) }
}

/** Fields by their names in lower case: a name that comes twice would be covered as both lines. */
function signed(
  { method, url, headers, body }: HttpRequest,
  target: URL,
  keys: BoundKeys,
): { readonly headers: HeaderFields; readonly mac: Uint8Array } {
  const { contract, channel } = keys.binding
  const fields = new Map<string, string>([['accept-encoding', 'identity']])
  const put = (from: HeaderFields): void => {
    for (const [name, value] of Object.entries(from)) fields.set(name.toLowerCase(), value)
  }
  put(headers)
  put(formatAudience({ origin: originOf(url.href), contract, ...channel }))
  const content = Buffer.from(body ?? '')
  fields.delete('content-digest')
  if (content.length > 0) {
    put({ 'content-digest': formatContentDigest(createHash('sha256').update(content).digest()) })
  }
  const message = { method, path: target.pathname, query: target.search, fields: [...fields] }
  const nonce = fields.has(headerName.balance.toLowerCase()) ? undefined : createNonce()
  const { fields: signature, mac } = signRequest(message, keys, { nonce, hmac })
  put({ ...signature })
  return { headers: Object.fromEntries(fields), mac }
}

interface Exchange {
  readonly transport: Transport
  readonly request: HttpRequest
  readonly channel: BoundChannel
  readonly mac: Uint8Array
  readonly verified: VerifiedAnswer
}

function authentic(answer: OpenAnswer, exchange: Exchange): OpenAnswer {
  const { covered } = exchange.verified
  const { read, costAtEnd, length } = checkedContent(answer, exchange)
  return {
    ...read,
    headers: provenHeaders(answer, exchange.verified, length),
    // The head says what was asked for, the receipt what was charged.
    header: (name) => (isCost(name) ? costAtEnd?.()?.toString() : undefined) ?? covered(name),
    ...(costAtEnd && { costAtEnd }),
  }
}

function isCost(name: string): boolean {
  return name.toLowerCase() === headerName.cost.toLowerCase()
}

/** Without what counts only when it is signed and is not; what is signed, as it was signed. */
function provenHeaders(
  { headers }: OpenAnswer,
  { covered, drop }: VerifiedAnswer,
  length: 'asSent' | 'unproven',
): OpenAnswer['headers'] {
  const dropped = new Set(drop)
  // Nobody must take an answer for whole by its length before its end is proven.
  if (length === 'unproven') dropped.add('content-length')
  return Object.fromEntries(
    Object.entries(headers)
      .filter(([name]) => !dropped.has(name))
      .map(([name, value]) => [name, covered(name) ?? value]),
  )
}

interface CheckedContent {
  /** The answer with its body as it may be read: it ends with an error when it is not the receiver's. */
  readonly read: OpenAnswer
  readonly costAtEnd: OpenAnswer['costAtEnd']
  readonly length: 'asSent' | 'unproven'
}

/**
 * A coding that is not signed was added on the way and goes before the content is hashed; one that is
 * signed is the resource's, and is hashed with it.
 */
function checkedContent(answer: OpenAnswer, exchange: Exchange): CheckedContent {
  const { headers, status, stream: source } = answer
  const { method, content: form, signal, url, read } = exchange.request
  const { content: claimed, covered } = exchange.verified
  const empty = method === 'HEAD' || status === 204 || status === 304
  const content: AnswerContent = empty ? { kind: 'none' } : claimed
  const signedCoding = covered('content-encoding')
  const coding = content.kind === 'none' ? undefined : headers['content-encoding']
  const broken = async (error: Error) =>
    isUraidenError(error) ? error : unproven(url, 'Its content is not coded as it says.')
  const added = signedCoding === undefined ? decoders(coding, broken) : []
  const ofResource = form === 'asSent' || coding === undefined ? [] : decoders(signedCoding, broken)
  const { check, costAtEnd, askCost } = contentCheck(content, exchange)
  const isBroken = () => source.errored != null && signal?.aborted !== true
  const brokenOff = async (error: Error): Promise<Error> => {
    if (isBroken()) await askCost()
    return error
  }
  const length = added.length > 0 || content.kind === 'later' ? 'unproven' : 'asSent'
  if (read === 'body' && added.length === 0 && ofResource.length === 0) {
    return { read: checkedWhole(answer, check, brokenOff), costAtEnd, length }
  }
  const streams = [...added, checking(check, content.kind), ...ofResource]
  for (const last of streams.slice(-1)) endingWith(last, brokenOff)
  return { read: answer.through(streams), costAtEnd, length }
}

/** Nobody reads its stream: what is there as a whole is hashed as a whole. */
function checkedWhole(
  answer: OpenAnswer,
  check: ContentCheck,
  brokenOff: ErrorInPlace,
): OpenAnswer {
  const read = once(async () => {
    const bytes = await answer.body().catch(async (error) => {
      throw await brokenOff(error)
    })
    const digest = createHash('sha256').update(bytes).digest()
    const fault = await check({ length: bytes.length, digest })
    if (fault !== undefined) throw fault
    return bytes
  })
  return { ...answer, body: read }
}

/** What is wrong with the content as it came; undefined when it is the receiver's. */
type ContentCheck = (received: Omit<ReceivedContent, 'status'>) => Promise<UraidenError | undefined>

interface ContentChecks extends Pick<CheckedContent, 'costAtEnd'> {
  readonly check: ContentCheck
  /** Once the content has broken off: `costAtEnd` knows then, if the receiver says it. */
  readonly askCost: () => Promise<void>
}

function contentCheck(content: AnswerContent, exchange: Exchange): ContentChecks {
  const { url } = exchange.request
  // The cost in the head is that of all that was sent.
  const inHead = { costAtEnd: undefined, askCost: async () => undefined }
  switch (content.kind) {
    case 'none':
      return {
        ...inHead,
        check: async ({ length }) =>
          length === 0 ? undefined : unproven(url, `It has ${length} bytes that nobody signed.`),
      }
    case 'digest':
      return {
        ...inHead,
        check: async ({ digest }) =>
          equalBytes(digest, content.digest)
            ? undefined
            : unproven(url, 'Its body is not the one that the receiver signed.'),
      }
    case 'later':
      return receiptCheck(exchange)
  }
}

function receiptCheck(exchange: Exchange): ContentChecks {
  const { url } = exchange.request
  let cost: TokenAmount | undefined
  const readReceipt = async () => {
    const receipt = parseReceipt(await askForReceipt(exchange))
    cost = receipt.cost
    return receipt
  }
  return {
    costAtEnd: () => cost,
    check: async (received) => {
      const { status } = exchange.verified
      const outcome = verifyReceipt(await readReceipt(), { status, ...received })
      return outcome.ok ? undefined : unproven(url, outcome.detail)
    },
    askCost: async () => {
      // Without a word of the receiver the payment is in doubt, and nothing else has gone wrong.
      if (cost === undefined) await readReceipt().catch(() => undefined)
    },
  }
}

async function askForReceipt({ transport, request, channel, mac }: Exchange): Promise<string> {
  const { keys, api } = channel
  const { sender, openBlock } = keys.binding.channel
  const path = `${api.pathname}/channels/${sender}/${openBlock}/answers/${answerId(mac)}`
  const { signal, timeout } = request
  const reply = await sendBound(
    transport,
    {
      ...{ method: 'GET', url: new URL(path, api), headers: { accept: 'application/json' } },
      ...{ mostBody: mostApiAnswer, read: 'body' },
      ...(signal && { signal }),
      ...(timeout !== undefined && { timeout }),
    },
    channel,
  )
  if (reply.kind === 'unproven') throw reply.error
  const body = new TextDecoder().decode(await reply.answer.body())
  if (reply.answer.status === 200) return body
  throw unproven(request.url, `The receiver has no receipt for it (${reply.answer.status}).`)
}

/**
 * Hands everything on as it comes, and ends with an error in place of an end when the check fails. What has
 * a digest lacks its last piece until then: whoever counts bytes must not take it for whole before.
 */
function checking(check: ContentCheck, kind: AnswerContent['kind']): Duplex {
  const hash = createHash('sha256')
  let length = 0
  let last: Buffer | undefined
  return new Transform({
    transform(chunk: Buffer, _, done) {
      hash.update(chunk)
      length += chunk.length
      const next = kind === 'later' ? chunk : last
      last = kind === 'later' ? undefined : chunk
      done(null, next)
    },
    flush(done) {
      check({ length, digest: hash.digest() }).then(
        (fault) => (fault === undefined ? done(null, last) : done(fault)),
        done,
      )
    },
  })
}

/** Longest refusal that is read. */
const mostRefusal = 16_384

async function refusalCode({ status, stream }: OpenAnswer): Promise<string | undefined> {
  try {
    if (status < 400) return
    const text = await readAtMost(stream, mostRefusal)
    const { code } = Object(text && JSON.parse(text.toString())) as { readonly code?: unknown }
    return typeof code === 'string' ? code : undefined
  } catch {
    return
  } finally {
    stream.destroy()
  }
}

const unprovenErrors = new WeakSet<object>()

/** Whether an answer came that is not the receiver's own, in place of none; one of a gateway is none. */
export function isUnproven(error: UraidenError): boolean {
  const { cause } = error
  return unprovenErrors.has(error) || (cause instanceof Object && unprovenErrors.has(cause))
}

/** A lost answer, and somebody is to blame for it. */
function unproven(url: URL, detail: string): UraidenError {
  const error = notItsAnswer(url, detail)
  unprovenErrors.add(error)
  return error
}

/** A lost answer: the payment stays in doubt, and the same request may be sent again. */
function notItsAnswer({ origin }: URL, detail: string): UraidenError {
  return agentError({
    code: 'answer_lost',
    message: `What came from ${origin} is not the receiver’s answer to this request. ${detail}`,
    hint: 'Somebody between may alter the traffic. If a payment was on its way, it stays counted until the receiver says where the channel stands.',
  })
}
