// A sender that pays over one channel, several requests at once, and remembers what became of each.
import {
  type Address,
  formatPayment,
  type Signature,
  type SignatureDomain,
} from '../../../protocol/index.ts'
import { balanceProof } from '../../../scripts/lib/sign.ts'

export interface PayerChannel {
  readonly domain: SignatureDomain
  readonly sender: Address
  readonly receiver: Address
  readonly openBlock: number
  readonly key: string
  readonly price: bigint
  /** Whether requests have an `Idempotency-Key`: then none of their answers may be lost. */
  readonly keyed: boolean
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

  const sign = (balance: bigint): Payment => ({
    balance,
    signature: balanceProof({ ...channel, balance }),
  })

  function note({ balance }: Payment, status: number): void {
    if (status === 200 && served.has(balance)) servedTwice.add(balance)
    if (status === 200) served.add(balance)
    if (status === 402 && !served.has(balance)) {
      lost.add(balance)
      if (channel.keyed) troubles.push(`${balance} has paid, and its key brings no answer`)
    }
    if (status !== 200 && status !== 402) troubles.push(`${balance} was answered with ${status}`)
  }

  async function payInTurn(url: string): Promise<void> {
    for (;;) {
      signed += channel.price
      const payment = sign(signed)
      const status = await send(channel, url, { ...payment, request: 'itself' })
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
    payUntilGone: async (url) => {
      await Promise.all(Array.from({ length: atOnce }, () => payInTurn(url)))
    },
    retry: async (url, replays) => {
      const again = unanswered
      unanswered = []
      for (const payment of again) {
        const status = await send(channel, url, { ...payment, request: 'itself' })
        if (status === undefined) unanswered.push(payment)
        else note(payment, status)
      }
      for (const balance of replays) {
        const payment = sign(balance)
        const status = await send(channel, url, { ...payment, request: 'another' })
        if (status !== undefined) note(payment, status)
      }
    },
  }
}

/** The status of the answer; undefined when none came. */
async function send(
  { sender, openBlock, price, keyed }: PayerChannel,
  url: string,
  { request, ...payment }: Payment & { readonly request: 'itself' | 'another' },
): Promise<number | undefined> {
  const headers = {
    ...formatPayment({ ...payment, sender, openBlock, amount: price }),
    ...(keyed && { 'Idempotency-Key': `${request} ${payment.balance}` }),
  }
  try {
    const answer = await fetch(url, { headers })
    await answer.arrayBuffer()
    return answer.status
  } catch {
    return undefined
  }
}
