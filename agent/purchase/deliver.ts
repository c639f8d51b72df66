// Sends a payment and brings back the answer: again while the receiver waits for the chain, and again
// with the same key when the answer was lost and the receiver offers that.
import {
  formatPayment,
  type HeaderFields,
  headerName,
  isUraidenError,
  parseUint192,
  smallest,
  type Terms,
  type TokenAmount,
} from '../../protocol/index.ts'
import type { ChannelName } from '../channels/records.ts'
import type { OpenAnswer } from '../transport/transport.ts'
import { aborted, lostWithKey, notConfirmed } from './errors.ts'
import { judge } from './follow.ts'
import { runHook } from './hooks.ts'
import type {
  Answer,
  Attempt,
  ExchangeParts,
  PaidRequest,
  PaymentFacts,
  SentPayment,
} from './types.ts'

export interface Delivery {
  /** Called for every round trip. */
  readonly sent: () => void
  readonly readTerms: (answer: OpenAnswer) => Terms
}

/** The first answer that is not "wait". */
export async function deliver(
  parts: ExchangeParts,
  request: PaidRequest,
  attempt: Attempt,
  delivery: Delivery,
): Promise<OpenAnswer> {
  const { confirmTimeout, funding, hooks, retryInterval } = parts
  const { channel } = attempt.taken
  const giveUp = performance.now() + confirmTimeout
  try {
    const leaving = sentPayment(attempt)
    // Who writes payments down has no need of a second note.
    if (request.onPayment === undefined) await parts.lost.noteSent(request, leaving)
    else await request.onPayment(leaving)
    // The receiver has to see the chain too: asking at once would only be a round trip more.
    if (funding.unseen(channel) !== undefined) await pause(retryInterval, request.signal)
  } catch (error) {
    parts.ledger.takeBack(attempt.taken)
    throw error
  }
  for (;;) {
    const answer = await sendUntilAnswered(parts, request, attempt, delivery)
    if (answer.status !== 402) return answer
    const terms = delivery.readTerms(answer)
    if (judge(parts, attempt, terms).kind !== 'wait') {
      funding.seen(channel)
      return answer
    }
    try {
      await runHook(hooks, 'insufficientConfirmations', request, { terms, channel })
      if (performance.now() > giveUp) {
        if (!(await isLost(parts, channel, terms))) throw notConfirmed(terms.receiver)
        funding.seen(channel)
        return answer
      }
      await pause(retryDelay(answer, retryInterval), request.signal)
    } catch (error) {
      parts.ledger.leaveInDoubt(attempt.taken)
      throw error
    }
  }
}

/** The chain may have taken our opening back, or the receiver may have closed the channel meanwhile. */
async function isLost(
  { funding }: ExchangeParts,
  channel: ChannelName,
  { reason }: Terms,
): Promise<boolean> {
  return reason === 'nonexisting_channel' && !(await funding.isStillOpen(channel))
}

async function sendUntilAnswered(
  parts: ExchangeParts,
  request: PaidRequest,
  attempt: Attempt,
  { sent }: Delivery,
): Promise<OpenAnswer> {
  const headers = { ...request.headers, ...paymentHeaders(attempt) }
  let loss: unknown
  for (let repeats = 0; ; repeats++) {
    sent()
    try {
      const answer = await parts.transport.send({ ...request, headers })
      // A body that breaks off is a lost answer too.
      if (answer.status !== 402 && request.read === 'body') await answer.body()
      return answer
    } catch (error) {
      // That the repetition did not leave says nothing of the payment before it.
      const why = neverLeft(error) ? (loss ?? error) : error
      if (!mayRepeat(parts, attempt, repeats, error)) {
        throw settleLoss(parts, request, attempt, why)
      }
      loss = error
    }
  }
}

function neverLeft(error: unknown): boolean {
  return (
    isUraidenError(error, 'receiver_unreachable') || isUraidenError(error, 'receiver_untrusted')
  )
}

function paymentHeaders({ payment, key }: Attempt): HeaderFields {
  const idempotency = key === undefined ? {} : { 'Idempotency-Key': key }
  return { ...idempotency, ...formatPayment(payment) }
}

function sentPayment(attempt: Attempt): SentPayment {
  const { payment, taken, terms, key } = attempt
  return {
    headers: paymentHeaders(attempt),
    receiver: terms.receiver,
    channel: taken.channel,
    price: terms.price,
    balance: payment.balance,
    ...(key !== undefined && { key }),
  }
}

function mayRepeat(
  { repeats: most }: ExchangeParts,
  { key }: Attempt,
  repeats: number,
  error: unknown,
): boolean {
  return key !== undefined && repeats < most && isUraidenError(error, 'answer_lost')
}

/** The answer is lost: what was on its way stays counted, what never left is there again. */
function settleLoss(
  { ledger, lost }: ExchangeParts,
  request: PaidRequest,
  attempt: Attempt,
  error: unknown,
): unknown {
  const { taken, key } = attempt
  if (neverLeft(error)) {
    // What was offered again is as doubtful as before, and can be asked for as before.
    if (key !== undefined && taken.source === 'doubtful') lost.put(key, attempt)
    else lost.answered(request)
    ledger.takeBack(taken)
    return error
  }
  if (key === undefined || !isUraidenError(error)) {
    ledger.leaveInDoubt(taken)
    return error
  }
  lost.put(key, attempt)
  ledger.leaveInDoubt(taken)
  return lostWithKey(error, key)
}

/** The answer as the caller wants it, and what it cost. */
export async function read(
  parts: ExchangeParts,
  request: PaidRequest,
  open: OpenAnswer,
  attempt: Attempt | undefined,
): Promise<{ readonly answer: Answer; readonly payment: PaymentFacts | undefined }> {
  const answer = { ...open, body: new Uint8Array() }
  const payment = attempt && settled(parts, request, open, attempt)
  const body = request.read === 'stream' ? answer.body : await open.body()
  if (payment !== undefined) parts.lost.answered(request)
  return { answer: { ...answer, body }, payment }
}

/** Only a receiver that says so has charged nothing; an error without a word about it may have. */
function settled(
  { ledger, funding, memory, history, lost }: ExchangeParts,
  { method, url, job }: PaidRequest,
  answer: OpenAnswer,
  attempt: Attempt,
): PaymentFacts {
  const { taken, payment, terms, key } = attempt
  const { price } = terms
  const told = chargedCost(answer, price)
  if (told === undefined && (answer.status >= 500 || answer.status === 409)) {
    ledger.leaveInDoubt(taken)
  } else {
    ledger.settle(taken, told ?? price)
    lost.paidFor(attempt)
  }
  funding.seen(taken.channel)
  memory.remember(method, url, terms)
  memory.paid(method, url, price)
  const cost = told ?? price
  const { channel } = taken
  const { balance } = payment
  history.add({
    ...{ time: Date.now(), method, url: `${url.origin}${url.pathname}`, status: answer.status },
    ...{ cost, channel, balance },
    ...(job !== undefined && { job }),
  })
  return {
    ...{ price, cost, channel, balance },
    ...(key !== undefined && { idempotencyKey: key }),
  }
}

/** `RDN-Cost` up to the price; undefined when the receiver says nothing that can be read. */
export function chargedCost({ header }: OpenAnswer, price: TokenAmount): TokenAmount | undefined {
  const text = header(headerName.cost)
  if (text === undefined) return undefined
  try {
    const cost = parseUint192(text)
    return smallest(cost, price)
  } catch {
    return undefined
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
