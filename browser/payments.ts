// Signing payments, and keeping what was signed until its outcome is known.

import {
  isBalanceProof,
  isTickForm,
  isTickProof,
  type ShownProof,
  type TokenAmount,
  toHex,
} from '../protocol/index.ts'
import { identify, stored } from './channels.ts'
import { browserError } from './error-codes.ts'
import type { Parts } from './parts.ts'
import { signBalance } from './signing.ts'
import type { PendingPayment, StoredChannel } from './storage.ts'

/** A payment to send. */
export interface SignedPayment {
  readonly channel: StoredChannel
  readonly payment: PendingPayment
  /** It was signed earlier, and nobody knows what became of it. */
  readonly repeated: boolean
}

/**
 * Signs the next balance and stores it before it is handed out. A payment whose outcome is not known
 * is handed out again when it is enough: the wallet is not asked, and it pays once only.
 * @throws UraidenError `channel_missing`, `channel_closing`, `channel_gone`, `deposit_spent`,
 * `paid_elsewhere`, and those of `signBalance`
 */
export async function signPayment(parts: Parts, price: TokenAmount): Promise<SignedPayment> {
  const channel = stored(parts)
  const { pending } = channel
  if (pending !== undefined && pending.price === price) {
    return { channel, payment: pending, repeated: true }
  }
  if (channel.closing) {
    throw browserError({
      code: 'channel_closing',
      message: 'The receiver was asked to close this channel.',
      hint: 'Close it, with the receiver or without, then open another one.',
    })
  }
  // Of a pending payment of another price it is not known whether it was taken: pay above it.
  const balance = (pending?.balance ?? channel.balance) + price
  await checkDeposit(parts, channel, balance)
  const message = { receiver: parts.receiver, openBlock: channel.openBlock, balance }
  const signature = await signBalance(parts, message)
  unchanged(channel, parts.memory.load())
  const payment = { balance, price, signature, key: randomKey() }
  parts.memory.save({ ...channel, pending: payment })
  return { channel, payment, repeated: false }
}

/** The receiver has taken the payment and served it. */
export function confirmPayment({ memory }: Parts, { channel, payment }: SignedPayment): void {
  const { balance, signature } = payment
  const { openBlock } = channel
  const closing = memory.load()?.closing
  memory.save({ openBlock, balance, signature, recovered: false, closing })
}

/** The channel stands at a balance that the receiver has proven, or at none. */
export function adoptBalance(
  { memory }: Pick<Parts, 'memory'>,
  { openBlock, balance, signature }: Pick<StoredChannel, 'openBlock' | 'balance' | 'signature'>,
): void {
  memory.save({ openBlock, balance, recovered: false, signature })
}

/** True when what is under a balance that the receiver claims is the sender's own: its signature, or a tick. */
export function verifyProof(
  parts: Pick<Parts, 'sender' | 'receiver' | 'domain'>,
  { openBlock, balance }: Pick<StoredChannel, 'openBlock' | 'balance'>,
  proof: ShownProof,
): boolean {
  const { sender, receiver, domain } = parts
  const channel = { sender, receiver, openBlock }
  return isTickForm(proof)
    ? isTickProof(domain, channel, { balance, proof })
    : isBalanceProof({ domain, channel, balance, signature: proof })
}

async function checkDeposit(
  parts: Parts,
  channel: StoredChannel,
  balance: TokenAmount,
): Promise<void> {
  const facts = await parts.chain.channel(identify(parts, channel.openBlock))
  if (facts === undefined) {
    throw browserError({
      code: 'channel_gone',
      message: 'The channel is no longer on the chain: it was closed.',
      hint: 'Open another one.',
    })
  }
  if (facts.settleBlock !== 0) {
    throw browserError({
      code: 'channel_closing',
      message: 'The channel is being closed.',
    })
  }
  if (balance > facts.deposit) {
    throw browserError({
      code: 'deposit_spent',
      message: 'What is left in the channel is less than the price.',
    })
  }
}

/** While the wallet was open, the same channel may have paid in another tab. */
function unchanged(before: StoredChannel, now: StoredChannel | undefined): void {
  const same =
    now?.openBlock === before.openBlock &&
    now.balance === before.balance &&
    now.pending?.signature === before.pending?.signature
  if (same) return
  throw browserError({
    code: 'paid_elsewhere',
    message: 'This channel was used in another tab meanwhile.',
  })
}

function randomKey(): string {
  return toHex(crypto.getRandomValues(new Uint8Array(16))).slice(2)
}
