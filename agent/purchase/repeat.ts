// The same payment for the same request once more: for an answer that was lost, in this process or in one
// that was killed. Pays nothing new (wire-protocol.md section 8, idempotency).
import { isUraidenError, parseTerms, UraidenError } from '../../protocol/index.ts'
import type { OpenAnswer } from '../transport/transport.ts'
import { chargedCost, read } from './deliver.ts'
import type { Attempt, ExchangeParts, ExchangeResult, PaidRequest, SentPayment } from './types.ts'

/**
 * @throws UraidenError `payment_spent`: the receiver will never answer it; `payment_waits`: it will
 * perhaps later; `payment_superseded`: it was not taken; those of the transport
 */
export function repeatPayment(
  parts: ExchangeParts,
  request: PaidRequest,
  sent: SentPayment,
): Promise<ExchangeResult> {
  return parts.locks.alone(sent.receiver, () => repeatAlone(parts, request, sent))
}

async function repeatAlone(
  parts: ExchangeParts,
  request: PaidRequest,
  sent: SentPayment,
): Promise<ExchangeResult> {
  const { ledger, lost, transport } = parts
  if (lost.isSuperseded(sent)) throw superseded(request.url)
  const known = sent.key === undefined ? undefined : lost.take(sent.key)
  const attempt = known && { ...known, taken: ledger.offerAgain(known.taken) }
  try {
    const headers = { ...request.headers, ...sent.headers }
    const open = await transport.send({ ...request, headers })
    if (open.status === 402 || open.status === 409) throw refusal(request.url, open)
    if (request.read === 'body') await open.body()
    return { ...(await answered(parts, request, open, sent, attempt)), roundTrips: 1 }
  } catch (error) {
    if (isUraidenError(error, 'payment_spent')) lost.answered(request)
    // What the receiver took for something else is spent; all else stays on its way.
    if (attempt !== undefined && !isUraidenError(error, 'payment_spent')) {
      ledger.leaveInDoubt(attempt.taken)
      if (attempt.key !== undefined) lost.put(attempt.key, attempt)
    }
    throw error
  }
}

async function answered(
  parts: ExchangeParts,
  request: PaidRequest,
  open: OpenAnswer,
  sent: SentPayment,
  attempt: Attempt | undefined,
): Promise<Omit<ExchangeResult, 'roundTrips'>> {
  const result = await read(parts, request, open, attempt)
  if (attempt !== undefined) return result
  parts.lost.answered(request)
  // A process before this one has signed it: its books are settled by what the receiver shows next.
  const { price, channel, balance, key } = sent
  const cost = chargedCost(open, price) ?? price
  const payment = {
    price,
    cost,
    channel,
    balance,
    ...(key !== undefined && { idempotencyKey: key }),
  }
  return { ...result, payment }
}

function refusal({ origin }: URL, { header, stream, status }: OpenAnswer): UraidenError {
  stream.destroy()
  if (status === 402 && reasonOf(header) === 'insufficient_confirmations') {
    return new UraidenError({
      code: 'payment_waits',
      message: `${origin} has not seen our channel confirmed yet.`,
      hint: 'The payment stays counted. Repeat it later.',
    })
  }
  return new UraidenError({
    code: 'payment_spent',
    message: `${origin} does not answer this payment again.`,
    hint: 'It may have kept the answer for a while only. What was signed stays counted.',
  })
}

/** Known from the receiver's answer to the request that was paid with it: nothing is asked. */
function superseded({ origin }: URL): UraidenError {
  return new UraidenError({
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
