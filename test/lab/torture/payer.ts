// A sender that pays over one channel, several requests at once, and remembers what became of each.
import {
  type Address,
  formatPayment,
  type HeaderFields,
  type SignatureDomain,
} from '../../../protocol/index.ts'
import { type BoundSender, bindSender, type SentProof } from './bound-sender.ts'
import type { PaidBy } from './paid-by.ts'
import { createProofs, type Proving } from './proofs.ts'

export interface PayerChannel {
  readonly domain: SignatureDomain
  readonly sender: Address
  readonly receiver: Address
  readonly openBlock: number
  readonly key: string
  readonly price: bigint
  /**
   * Whether requests have an `Idempotency-Key`, or are bound and have none: then none of their answers may be
   * lost.
   */
  readonly named: 'by key' | 'by binding' | 'not at all'
  /** Ticks are for bound requests. */
  readonly proving: Proving
  /** A status of 500 or more says that nobody knows whether it has paid. */
  readonly mayBeAway?: true
}

/** Of one receiver, or chosen for each request of those that share a state. */
export type UrlOf = string | (() => string)

interface Payment {
  readonly balance: bigint
  readonly proof: SentProof
}

export interface Payer {
  readonly channel: PayerChannel
  /** Balances whose request was answered with the resource. */
  readonly served: ReadonlySet<bigint>
  /** Balances whose interval paid, by the receiver's word, for an answer that never came. */
  readonly lost: ReadonlySet<bigint>
  readonly servedTwice: ReadonlySet<bigint>
  /** What each balance that was served has shown. */
  readonly ways: readonly PaidBy[]
  /** How many requests have had no answer yet. */
  readonly waiting: () => number
  /** Answers that make no sense. */
  readonly troubles: readonly string[]
  /** Where its requests are bound: before its first payment. */
  readonly bind: (url: string) => Promise<void>
  /** Pays until the receiver is gone, or it is over. */
  readonly payUntilGone: (url: UrlOf, isOver?: () => boolean) => Promise<void>
  /** Sends again what was not answered, and `replays` of those that were. */
  readonly retry: (url: UrlOf, replays: readonly bigint[]) => Promise<void>
}

const atOnce = 4

export function createPayer(channel: PayerChannel): Payer {
  const served = new Set<bigint>()
  const lost = new Set<bigint>()
  const servedTwice = new Set<bigint>()
  const ways: PaidBy[] = []
  const troubles: string[] = []
  const proofs = createProofs(channel, channel.proving)
  let signed = 0n
  let unanswered: Payment[] = []
  let bound: BoundSender | undefined

  const ask = (url: UrlOf, payment: Payment, request: Asked['request']) => {
    const asked = { url: typeof url === 'string' ? url : url(), payment, request, bound }
    return sendShowing(proofs, channel, asked)
  }

  function note({ balance, proof }: Payment, { status, asksForMore }: Answered): void {
    if (status === 200) proofs.taken(proof)
    if (status === 200 && served.has(balance)) servedTwice.add(balance)
    else if (status === 200) ways.push(proof.signature === undefined ? 'tick' : 'signature')
    if (status === 200) served.add(balance)
    if (asksForMore) troubles.push(`the tick of ${balance} is of no commitment that it takes`)
    if (status === 402 && !served.has(balance)) {
      lost.add(balance)
      if (channel.named !== 'not at all') {
        troubles.push(`${balance} has paid, and its name ${channel.named} brings no answer`)
      }
    }
    if (status !== 200 && status !== 402) troubles.push(`${balance} was answered with ${status}`)
  }

  async function payInTurn(url: UrlOf, isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      signed += channel.price
      const payment = { balance: signed, proof: proofs.next(signed) }
      const answered = await ask(url, payment, 'itself')
      if (answered === undefined) {
        unanswered.push(payment)
        return
      }
      note(payment, answered)
    }
  }

  return {
    channel,
    served,
    lost,
    servedTwice,
    ways,
    waiting: () => unanswered.length,
    troubles,
    bind: async (url) => {
      if (channel.named === 'by binding') bound = await bindSender(channel, url)
    },
    payUntilGone: async (url, isOver = () => false) => {
      await Promise.all(Array.from({ length: atOnce }, () => payInTurn(url, isOver)))
    },
    retry: async (url, replays) => {
      const again = unanswered
      unanswered = []
      for (const payment of again) {
        const answered = await ask(url, payment, 'itself')
        if (answered === undefined) unanswered.push(payment)
        else note(payment, answered)
      }
      for (const balance of replays) {
        const payment = { balance, proof: proofs.whole(balance) }
        const answered = await ask(url, payment, 'another')
        if (answered !== undefined) note(payment, answered)
      }
    },
  }
}

interface Asked {
  readonly url: string
  readonly payment: Payment
  readonly request: 'itself' | 'another'
  readonly bound: BoundSender | undefined
}

interface Answered {
  readonly status: number
  /** It knows no commitment of the tick. */
  readonly asksForMore: boolean
}

/** What paid below a proven balance has shown its commitment to nobody: the next one may be asked for it. */
async function sendShowing(
  proofs: Pick<ReturnType<typeof createProofs>, 'whole'>,
  channel: PayerChannel,
  asked: Asked,
): Promise<Answered | undefined> {
  const { balance, proof } = asked.payment
  const answered = await send(channel, asked)
  if (!answered?.asksForMore || proof.commitment !== undefined) return answered
  return send(channel, { ...asked, payment: { balance, proof: proofs.whole(balance) } })
}

/** Undefined when no answer came. */
async function send(channel: PayerChannel, asked: Asked): Promise<Answered | undefined> {
  const { url, payment, request, bound } = asked
  const target = bound === undefined ? url : `${url}?${request}`
  const headers =
    bound?.payment(target, payment.balance, payment.proof) ?? unboundFields(channel, asked)
  try {
    const answer = await fetch(target, { headers })
    await answer.arrayBuffer()
    if (answer.status >= 500 && channel.mayBeAway) return undefined
    return { status: answer.status, asksForMore: answer.headers.has('rdn-tick-unknown') }
  } catch {
    return undefined
  }
}

function unboundFields(
  { sender, openBlock, price, named }: PayerChannel,
  { payment: { balance, proof }, request }: Asked,
): HeaderFields {
  const { signature } = proof
  if (signature === undefined) throw new Error('ticks are for bound requests')
  return {
    ...formatPayment({ signature, balance, sender, openBlock, amount: price }),
    ...(named === 'by key' && { 'Idempotency-Key': `${request} ${balance}` }),
  }
}
