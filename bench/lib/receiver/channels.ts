// Channels that are there already, and payments over them, signed before the clock runs.
import { open } from 'node:fs/promises'
import secp256k1 from 'secp256k1/bindings.js'
import {
  type Address,
  addressOfKey,
  balanceProofDigest,
  fromHex,
  type SignatureDomain,
  toHex,
} from '../../../protocol/index.ts'
import { openBook } from '../../../receiver/channels/book.ts'
import type { SyncPosition } from '../../../receiver/channels/history.ts'
import { openStore } from '../../../receiver/channels/store.ts'
import { chooseRecovery } from '../../../receiver/signatures/recovery.ts'
import { threads } from './wrk.ts'

export interface Fleet {
  readonly domain: SignatureDomain
  readonly receiver: Address
  readonly price: bigint
  readonly channels: number
  /** Open block of the first one that pays; 0 by default. */
  readonly from?: number
}

export const senderKey = fromHex(`0x${'5e'.repeat(32)}`)
export const sender = addressOfKey(senderKey)

/** State as a receiver leaves it that has seen all channels open. */
export async function prepareState(
  folder: string,
  { domain, receiver, channels }: Fleet,
  head: SyncPosition,
): Promise<void> {
  const store = await openStore(folder, { ...domain, account: receiver })
  const book = await openBook(store)
  const events = Array.from({ length: channels }, (_, index) => ({
    kind: 'created' as const,
    channel: { sender, receiver, openBlock: index },
    deposit: 10n ** 15n,
    block: index,
    contractBlock: index,
    blockHash: '0x' as const,
    transaction: '0x' as const,
    logIndex: 0,
  }))
  await book.confirm(events, head)
  await store.close()
}

/**
 * Writes `<prefix>.<thread>`: each thread of wrk has its own channels and goes round them, so that
 * the payments of one channel are sent in their order.
 */
export async function writePayments(prefix: string, fleet: Fleet, count: number): Promise<void> {
  const { price, channels, from = 0 } = fleet
  const pay = await paymentsOf(fleet)
  const perThread = Math.ceil(count / threads)
  const share = channels / threads
  for (let thread = 0; thread < threads; thread++) {
    const lines: string[] = []
    for (let index = 0; index < perThread; index++) {
      const openBlock = from + thread * share + (index % share)
      const balance = price * BigInt(1 + Math.floor(index / share))
      lines.push(pay(openBlock, balance))
    }
    const file = await open(`${prefix}.${thread}`, 'w')
    await file.write(`${lines.join('\n')}\n`)
    await file.close()
  }
}

/** Signs one on a channel of the fleet. */
export async function paymentsOf(
  fleet: Pick<Fleet, 'domain' | 'receiver' | 'price'>,
): Promise<(openBlock: number, balance: bigint) => string> {
  const { keccak } = (await chooseRecovery()).recovery
  const digest = balanceProofDigest('eip712', fleet.domain, fleet.receiver, keccak)
  return (openBlock, balance) => {
    const { signature, recid } = secp256k1.ecdsaSign(digest(openBlock, balance), senderKey)
    const signed = `${toHex(signature)}${recid === 0 ? '1b' : '1c'}`
    return paymentLine(fleet, { sender, openBlock, balance, signature: signed })
  }
}

/**
 * The headers of one payment, `|` between. It says what it pays, so that those of one channel may overtake each
 * other on their way over many connections: a receiver refuses those of the original that do.
 */
export function paymentLine(
  { domain, receiver, price }: Pick<Fleet, 'domain' | 'receiver' | 'price'>,
  payment: {
    readonly sender: Address
    readonly openBlock: number
    readonly balance: bigint
    readonly signature: string
  },
): string {
  const { sender, openBlock, balance, signature } = payment
  return [
    `RDN-Contract-Address: ${domain.contract}`,
    `RDN-Receiver-Address: ${receiver}`,
    `RDN-Sender-Address: ${sender}`,
    `RDN-Open-Block: ${openBlock}`,
    `RDN-Balance: ${balance}`,
    `RDN-Sender-Balance: ${balance}`,
    `RDN-Balance-Signature: ${signature}`,
    `RDN-Payment: ${price}`,
  ].join('|')
}
