// What was bought in this tab, so that a reload need not pay again: the receiver answers a bound request that
// is sent again as it was, for nothing, while it keeps the reply.
import type { PaidBefore, SignedPayment } from '../../../../browser/index.ts'
import {
  type Address,
  parseBlockNumber,
  parseSignature,
  parseUint192,
} from '../../../../protocol/index.ts'

/** Replies are kept this long by default, in milliseconds. */
const keptFor = 600_000
/** So often within so many milliseconds the browser is left to show it itself; then it gets no further by that. */
const mostReloads = 3
const within = 10_000

export interface Bought {
  readonly payment: PaidBefore
  /** The browser has been asked to show it, again and again, and has come back here. */
  readonly comesBack: boolean
}

const nameOf = (sender: Address) => `uraiden/bought/${sender}${location.pathname}${location.search}`

interface Stored {
  readonly time: number
  /** When the browser was left to show it. */
  readonly reloads: readonly number[]
  readonly openBlock: string
  readonly balance: string
  readonly price: string
  readonly signature: string
  readonly key: string
}

export function rememberBought(
  sender: Address,
  { channel, payment }: SignedPayment,
  { reloads }: { readonly reloads: boolean },
): void {
  const { balance, price, signature, key } = payment
  const now = Date.now()
  const before = read(sender)
  const same = before?.signature === signature ? before : undefined
  const record: Stored = {
    time: same?.time ?? now,
    reloads: [...(same?.reloads ?? []), ...(reloads ? [now] : [])].slice(-mostReloads),
    openBlock: `${channel.openBlock}`,
    balance: `${balance}`,
    price: `${price}`,
    ...{ signature, key },
  }
  sessionStorage.setItem(nameOf(sender), JSON.stringify(record))
}

export function boughtBefore(sender: Address): Bought | undefined {
  const stored = read(sender)
  if (stored === undefined) return undefined
  const { time, reloads, openBlock, balance, price, signature, key } = stored
  const now = Date.now()
  if (!(now - time < keptFor)) return undefined
  return {
    payment: {
      openBlock: parseBlockNumber(openBlock),
      balance: parseUint192(balance),
      price: parseUint192(price),
      signature: parseSignature(signature),
      key,
    },
    comesBack: reloads.filter((at) => now - at < within).length === mostReloads,
  }
}

function read(sender: Address): Stored | undefined {
  const text = sessionStorage.getItem(nameOf(sender))
  return text === null ? undefined : JSON.parse(text)
}

export function forgetBought(sender: Address): void {
  sessionStorage.removeItem(nameOf(sender))
}
