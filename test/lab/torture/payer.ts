// A sender that pays over one channel, several requests at once, and remembers what became of each.
import {
  type Address,
  formatPayment,
  type Signature,
  type SignatureDomain,
} from '../../../protocol/index.ts'
import { balanceProof } from '../../../scripts/lib/sign.ts'
import { type BoundSender, bindSender } from './bound-sender.ts'

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
}

interface Payment {
  readonly balance: bigint
  readonly signature: Signature
}

export interface Payer {
  readonly channel: PayerChannel
  /** Balances whose request was answered with the resource. */
  readonly served: ReadonlySet<bigint>
  /** Balances whose interval paid, by the receiver's word, for an answer that never came. */
  readonly lost: ReadonlySet<bigint>
  readonly servedTwice: ReadonlySet<bigint>
  /** Answers that make no sense. */
  readonly troubles: readonly string[]
  /** Where its requests are bound: before its first payment. */
  readonly bind: (url: string) => Promise<void>
  /** Pays until the receiver is gone. */
  readonly payUntilGone: (url: string) => Promise<void>
  /** Sends again what was not answered, and `replays` of those that were. */
  readonly retry: (url: string, replays: readonly bigint[]) => Promise<void>
}

const atOnce = 4

export function createPayer(channel: PayerChannel): Payer {
  const served = new Set<bigint>()
  const lost = new Set<bigint>()
  const servedTwice = new Set<bigint>()
  const troubles: string[] = []
  let signed = 0n
  let unanswered: Payment[] = []
  let bound: BoundSender | undefined

  const ask = (url: string, payment: Payment, request: Asked['request']) =>
    send(channel, { url, payment, request, bound })

  const sign = (balance: bigint): Payment => ({
    balance,
    signature: balanceProof({ ...channel, balance }),
  })

  function note({ balance }: Payment, status: number): void {
    if (status === 200 && served.has(balance)) servedTwice.add(balance)
    if (status === 200) served.add(balance)
    if (status === 402 && !served.has(balance)) {
      lost.add(balance)
      if (channel.named !== 'not at all') {
        troubles.push(`${balance} has paid, and its name ${channel.named} brings no answer`)
      }
    }
    if (status !== 200 && status !== 402) troubles.push(`${balance} was answered with ${status}`)
  }

  async function payInTurn(url: string): Promise<void> {
    for (;;) {
      signed += channel.price
      const payment = sign(signed)
      const status = await ask(url, payment, 'itself')
      if (status === undefined) {
        unanswered.push(payment)
        return
      }
      note(payment, status)
    }
  }

  return {
    channel,
    served,
    lost,
    servedTwice,
    troubles,
    bind: async (url) => {
      if (channel.named === 'by binding') bound = await bindSender(channel, url)
    },
    payUntilGone: async (url) => {
      await Promise.all(Array.from({ length: atOnce }, () => payInTurn(url)))
    },
    retry: async (url, replays) => {
      const again = unanswered
      unanswered = []
      for (const payment of again) {
        const status = await ask(url, payment, 'itself')
        if (status === undefined) unanswered.push(payment)
        else note(payment, status)
      }
      for (const balance of replays) {
        const payment = sign(balance)
        const status = await ask(url, payment, 'another')
        if (status !== undefined) note(payment, status)
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

/** The status of the answer; undefined when none came. */
async function send(
  { sender, openBlock, price, named }: PayerChannel,
  { url, payment, request, bound }: Asked,
): Promise<number | undefined> {
  const { balance, signature } = payment
  const target = bound === undefined ? url : `${url}?${request}`
  const headers = bound?.payment(target, balance, signature) ?? {
    ...formatPayment({ ...payment, sender, openBlock, amount: price }),
    ...(named === 'by key' && { 'Idempotency-Key': `${request} ${balance}` }),
  }
  try {
    const answer = await fetch(target, { headers })
    await answer.arrayBuffer()
    return answer.status
  } catch {
    return undefined
  }
}
