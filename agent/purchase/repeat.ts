// The same payment for the same request once more: for an answer that was lost, in this process or in one
// that was killed. Pays nothing new (wire-protocol.md section 8, idempotency).

import { isUraidenError, parseTerms, type UraidenError } from '../../protocol/index.ts'
import type { Bindings } from '../channels/binding.ts'
import { agentError } from '../errors/index.ts'
import type { OpenAnswer } from '../transport/transport.ts'
import { type Attempts, chargedCost } from './attempt.ts'
import { complete, type Delivery, isBoundPayment, usualGatewayPath } from './delivery.ts'
import type { LostPayments } from './lost.ts'
import type { Attempt, ChannelPayment, PaidRequest, PaymentFacts } from './types.ts'

export interface RepeatParts {
  readonly attempts: Attempts
  readonly delivery: Delivery
  readonly lost: LostPayments
  readonly bindings: Pick<Bindings, 'confirmed'>
}

/**
 * The answer, and the attempt if it is one of this process. Nothing else may be on the channel.
 * @throws UraidenError `payment_spent`: the receiver will never answer it; `payment_waits`: it will
 * perhaps later; `payment_superseded`: it was not taken; those of the transport
 */
export async function askAgain(
  parts: RepeatParts,
  request: PaidRequest,
  sent: ChannelPayment,
): Promise<{ readonly answer: OpenAnswer; readonly attempt: Attempt | undefined }> {
  const { attempts, lost } = parts
  if (lost.isSuperseded(sent)) throw superseded(request.url)
  const known = sent.key === undefined ? undefined : lost.take(request, sent.key)
  const attempt = known && attempts.offerAgain(known)
  try {
    const answer = await sendAgain(parts, request, sent)
    if (answer.status === 402 || answer.status === 409) throw refusal(request.url, answer)
    return { answer: await complete(request, answer), attempt }
  } catch (error) {
    if (isUraidenError(error, 'payment_spent')) lost.answered(request)
    // What the receiver took for something else is spent; all else stays on its way.
    if (attempt !== undefined && !isUraidenError(error, 'payment_spent')) {
      attempts.leaveInDoubt(attempt)
      if (attempt.key !== undefined) lost.put(request, attempt.key, attempt)
    }
    throw error
  }
}

/** The same signature as before, as long as both sides have the same keys. */
function sendAgain(
  { delivery, bindings }: RepeatParts,
  request: PaidRequest,
  sent: ChannelPayment,
): Promise<OpenAnswer> {
  if (!isBoundPayment(sent)) return delivery.send(request, sent.headers)
  const { gatewayPath = usualGatewayPath } = sent
  const bound = bindings.confirmed(sent.channel, new URL(gatewayPath, request.url))
  if (bound === undefined) throw keyMissing(sent)
  return delivery.sendBound(request, sent.headers, bound)
}

function keyMissing({ channel }: ChannelPayment): UraidenError {
  return agentError({
    code: 'payment_spent',
    message: `The request key of the channel ${channel} is not in this store: its payments cannot be sent again.`,
    hint: 'What was signed stays counted.',
  })
}

/** A process before this one has signed it: its books are settled by what the receiver shows next. */
export function paidEarlier(sent: ChannelPayment, answer: OpenAnswer): PaymentFacts {
  const { price, channel, balance, key } = sent
  return {
    ...{ price, cost: chargedCost(answer, price) ?? price, channel, balance },
    authentic: isBoundPayment(sent),
    ...(key !== undefined && { idempotencyKey: key }),
  }
}

function refusal({ origin }: URL, { header, stream, status }: OpenAnswer): UraidenError {
  stream.destroy()
  if (status === 402 && reasonOf(header) === 'insufficient_confirmations') {
    return agentError({
      code: 'payment_waits',
      message: `${origin} has not seen our channel confirmed yet.`,
    })
  }
  return answerGone({ origin })
}

/** What was paid is paid, and its answer cannot be had. */
export function answerGone({ origin }: Pick<URL, 'origin'>): UraidenError {
  return agentError({
    code: 'payment_spent',
    message: `${origin} does not answer this payment again.`,
    hint: 'It may have kept the answer for a while only. What was signed stays counted.',
  })
}

/** Known from the receiver's answer to the request that was paid with it: nothing is asked. */
function superseded({ origin }: URL): UraidenError {
  return agentError({
    code: 'payment_superseded',
    message: `${origin} did not take this payment; what it offered has paid for another request.`,
    hint: 'Nothing was spent on it. Buy again.',
  })
}

function reasonOf(header: OpenAnswer['header']): string | undefined {
  try {
    return parseTerms(header).reason
  } catch {
    return undefined
  }
}
