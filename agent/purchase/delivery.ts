// Brings a request to the receiver and its answer back: here alone a payment's fields go on a request, and
// here alone an answer comes in.

import { formatBoundPayment } from '../../protocol/bound/index.ts'
import {
  formatPayment,
  type HeaderFields,
  headerName,
  isUraidenError,
  UraidenError,
} from '../../protocol/index.ts'
import { agentError } from '../errors/index.ts'
import { type BoundChannel, sendBound } from '../transport/bound.ts'
import type { OpenAnswer, Transport } from '../transport/transport.ts'
import type { Attempt, ChannelPayment, PaidRequest, SentPayment } from './types.ts'

export interface DeliveryOptions {
  readonly transport: Transport
  /** How often a request with a lost answer is repeated, where the receiver offers idempotency. */
  readonly repeats: number
  /** How long to wait for a receiver to see our channel confirmed, in milliseconds. */
  readonly confirmTimeout: number
  /** Between two tries while waiting, in milliseconds, unless the receiver says how long. */
  readonly retryInterval: number
}

export interface Delivery {
  /**
   * One round trip, with a payment's fields or without one.
   * @throws UraidenError those of the transport
   */
  readonly send: (request: PaidRequest, fields?: HeaderFields) => Promise<OpenAnswer>
  /**
   * The same of a bound payment: only the receiver's own answer is one.
   * @throws UraidenError also `request_key_unknown`, `request_altered`: whoever answered could not check our
   * signature
   */
  readonly sendBound: (
    request: PaidRequest,
    fields: HeaderFields,
    bound: BoundChannel,
  ) => Promise<OpenAnswer>
  /** Whether a request whose answer did not come may be sent again. */
  readonly mayRepeat: (attempt: Attempt, repeats: number, error: unknown) => boolean
  readonly patience: (signal: AbortSignal | undefined) => Patience
}

/** The waiting of one payment, from its beginning on. */
export interface Patience {
  /** @throws UraidenError `aborted` */
  readonly pause: () => Promise<void>
  /** False when it is over, and nothing was waited for. */
  readonly pauseAfter: (answer: OpenAnswer) => Promise<boolean>
}

export function createDelivery(options: DeliveryOptions): Delivery {
  const { transport, repeats: mostRepeats, confirmTimeout, retryInterval } = options
  return {
    send: (request, fields = {}) =>
      transport.send({ ...request, headers: { ...request.headers, ...fields } }),
    sendBound: async (request, fields, bound) => {
      const paid = { ...request, headers: { ...request.headers, ...fields } }
      const reply = await sendBound(transport, paid, bound)
      if (reply.kind === 'authentic') return reply.answer
      throw reply.status === 401 ? unchecked(request.url, reply.code, reply.error) : reply.error
    },
    // The signature of a bound request is its key.
    mayRepeat: ({ key, bound }, repeats, error) =>
      (key !== undefined || bound !== undefined) &&
      repeats < mostRepeats &&
      isUraidenError(error, 'answer_lost'),
    patience: (signal) => {
      const giveUp = performance.now() + confirmTimeout
      return {
        pause: () => pause(retryInterval, signal),
        pauseAfter: async (answer) => {
          if (performance.now() > giveUp) return false
          await pause(retryDelay(answer, retryInterval), signal)
          return true
        },
      }
    },
  }
}

/** A body that breaks off is a lost answer too; nobody reads that of a 402. */
export async function complete({ read }: PaidRequest, answer: OpenAnswer): Promise<OpenAnswer> {
  if (answer.status !== 402 && read === 'body') await answer.body()
  return answer
}

const neverSent = ['receiver_unreachable', 'receiver_untrusted', 'unsignable_request'] as const

export function neverLeft(error: unknown): boolean {
  return neverSent.some((code) => isUraidenError(error, code))
}

export function paymentHeaders({ payment, key, bound, terms }: Attempt): HeaderFields {
  const idempotency = key === undefined ? {} : { 'Idempotency-Key': key }
  if (bound !== undefined) {
    const { amount = terms.price, ...proven } = payment
    return { ...idempotency, ...formatBoundPayment({ ...proven, amount }) }
  }
  const { signature } = payment
  if (signature === undefined) throw new Error('what pays unbound is signed')
  return { ...idempotency, ...formatPayment({ ...payment, signature }) }
}

/** The other fields of a bound payment come with its signature, each time that it is sent. */
export function isBoundPayment({ headers }: SentPayment): boolean {
  return headers[headerName.sender] === undefined
}

const uncheckedCodes = ['request_key_unknown', 'request_altered'] as const

export function isUnchecked(error: unknown): boolean {
  return uncheckedCodes.some((code) => isUraidenError(error, code))
}

function unchecked({ origin }: URL, said: string | undefined, error: UraidenError): UraidenError {
  const code = uncheckedCodes.find((each) => each === said)
  if (code === undefined) return error
  return new UraidenError({
    code,
    message: `${origin} could not check the signature of our request (${code}).`,
    hint: 'What was signed stays counted until the receiver says where the channel stands.',
    cause: error,
  })
}

/** Of receivers that say nothing else (wire-protocol.md section 5). */
export const usualGatewayPath = '/api/1'

export function sentPayment(attempt: Attempt): ChannelPayment {
  const { payment, taken, terms, key } = attempt
  return {
    headers: paymentHeaders(attempt),
    receiver: terms.receiver,
    channel: taken.channel,
    price: terms.price,
    balance: payment.balance,
    ...(key !== undefined && { key }),
    ...(terms.gatewayPath !== usualGatewayPath && { gatewayPath: terms.gatewayPath }),
  }
}

/** What the receiver asks for, in milliseconds, but not more than `most`. */
function retryDelay(answer: OpenAnswer, most: number): number {
  const seconds = Number(answer.header('retry-after'))
  return seconds > 0 ? Math.min(seconds * 1000, most) : most
}

async function pause(delay: number, signal: AbortSignal | undefined): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer)
      reject(aborted(signal))
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop)
      resolve()
    }, delay)
    if (signal?.aborted) stop()
    else signal?.addEventListener('abort', stop, { once: true })
  })
}

function aborted(signal: AbortSignal | undefined): UraidenError {
  return agentError({
    code: 'aborted',
    message: 'The request was aborted while the receiver waited for the chain.',
    hint: 'The payment stays counted until the receiver says where the channel stands.',
    cause: signal?.reason,
  })
}
