// Many channels, each of a sender of its own who has paid once, and payments over them.
import { open } from 'node:fs/promises'
import secp256k1 from 'secp256k1/bindings.js'
import {
  type Address,
  addressFromBytes,
  balanceProofDigest,
  parseSignature,
  type Signature,
  toHex,
} from '../../../protocol/index.ts'
import { openBook } from '../../../receiver/channels/book.ts'
import type { SyncPosition } from '../../../receiver/channels/history.ts'
import { channelName, type PaymentLedger } from '../../../receiver/channels/records.ts'
import { openStore } from '../../../receiver/channels/store.ts'
import { chooseRecovery } from '../../../receiver/signatures/recovery.ts'
import { type Fleet, paymentLine } from '../receiver/channels.ts'
import { threads } from '../receiver/wrk.ts'

interface Sender {
  readonly address: Address
  /** Over a balance of its only channel, which is named by the sender's number. */
  readonly sign: (balance: bigint) => Signature
}

/** The library's own signer: noble would take minutes. */
export async function createSenders(fleet: Fleet): Promise<readonly Sender[]> {
  const { keccak } = (await chooseRecovery()).recovery
  const digest = balanceProofDigest('eip712', fleet.domain, fleet.receiver, keccak)
  return Array.from({ length: fleet.channels }, (_, index) => {
    const key = new Uint8Array(32).fill(0x5e)
    new DataView(key.buffer).setUint32(0, index + 1)
    const publicKey = secp256k1.publicKeyCreate(key, false)
    return {
      address: addressFromBytes(keccak(publicKey.subarray(1)).subarray(12)),
      sign: (balance) => {
        const { signature, recid } = secp256k1.ecdsaSign(digest(index, balance), key)
        return parseSignature(`${toHex(signature)}${recid === 0 ? '1b' : '1c'}`)
      },
    }
  })
}

/** State as a receiver leaves it that has been paid once on each channel. */
export async function prepareFleet(
  folder: string,
  { fleet, senders }: { readonly fleet: Fleet; readonly senders: readonly Sender[] },
  head: SyncPosition,
): Promise<void> {
  const { domain, receiver, price } = fleet
  const store = await openStore(folder, { ...domain, account: receiver })
  const book = await openBook(store)
  const events = senders.map(({ address }, index) => ({
    kind: 'created' as const,
    channel: { sender: address, receiver, openBlock: index },
    deposit: 10n ** 15n,
    block: index,
    contractBlock: index,
    blockHash: '0x' as const,
    transaction: '0x' as const,
    logIndex: 0,
  }))
  await book.confirm(events, head)
  const ledgers = senders.map(({ address, sign }, index) => {
    const ledger: PaymentLedger = {
      claims: { highest: price, unclaimed: [] },
      proof: { signature: sign(price), form: 'eip712' },
      agreedToClose: false,
    }
    return [channelName(address, index), ledger] as const
  })
  await store.saveLedgers(new Map(ledgers))
  await store.close()
}

/** As `writePayments`, round and round the senders. */
export async function writeFleetPayments(
  prefix: string,
  { fleet, senders }: { readonly fleet: Fleet; readonly senders: readonly Sender[] },
  count: number,
): Promise<void> {
  const share = Math.floor(senders.length / threads)
  for (let thread = 0; thread < threads; thread++) {
    const lines: string[] = []
    for (let index = 0; index < Math.ceil(count / threads); index++) {
      const openBlock = thread * share + (index % share)
      const sender = senders[openBlock]
      if (sender === undefined) throw new RangeError(`no sender ${openBlock}`)
      const balance = fleet.price * BigInt(2 + Math.floor(index / share))
      const signature = sender.sign(balance)
      lines.push(paymentLine(fleet, { sender: sender.address, openBlock, balance, signature }))
    }
    const file = await open(`${prefix}.${thread}`, 'w')
    await file.write(`${lines.join('\n')}\n`)
    await file.close()
  }
}
