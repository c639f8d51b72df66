// The same channels bound, and payments by ticks over them: every byte of a request is made before the clock runs.
import { randomBytes } from 'node:crypto'
import { open } from 'node:fs/promises'
import { hmac } from '../../../platform/keys/bound.ts'
import {
  type BoundKeys,
  createRequestKey,
  deriveBoundKeys,
  formatAudience,
  formatBoundPayment,
  sharedSecret,
  signRequest,
} from '../../../protocol/bound/index.ts'
import {
  commitmentDigest,
  mostTicks,
  type SignedCommitment,
  signDigest,
  type TickWord,
  tickChain,
  toHex,
} from '../../../protocol/index.ts'
import { openBook } from '../../../receiver/channels/book.ts'
import type { SyncPosition } from '../../../receiver/channels/history.ts'
import { emptyLedger } from '../../../receiver/channels/records.ts'
import { openStore } from '../../../receiver/channels/store.ts'
import { openRequestKey } from '../../../receiver/core/request-key.ts'
import { chooseRecovery } from '../../../receiver/signatures/recovery.ts'
import { type Fleet, prepareState, sender, senderKey } from './channels.ts'
import { threads } from './wrk.ts'

/** By open block. */
type KeysOf = (openBlock: number) => BoundKeys

/** As `prepareState`, with a request key on each channel. */
export async function prepareBoundState(
  folder: string,
  fleet: Fleet,
  head: SyncPosition,
): Promise<KeysOf> {
  const { domain, receiver, channels } = fleet
  await prepareState(folder, fleet, head)
  const own = await openRequestKey({ state: folder, credentials: undefined }, async () => 0)
  const pair = createRequestKey()
  const store = await openStore(folder, { ...domain, account: receiver })
  const book = await openBook(store)
  const ledger = { ...emptyLedger, requestKey: { key: pair.publicKey, number: 0n } }
  await Promise.all(
    Array.from({ length: channels }, (_, openBlock) =>
      book.putLedger({ sender, openBlock }, ledger),
    ),
  )
  await store.close()
  const secret = sharedSecret(pair.privateKey, own.publicKey)
  const both = { ...domain, senderKey: pair.publicKey, receiverKey: own.publicKey }
  const keys = Array.from({ length: channels }, (_, openBlock) =>
    deriveBoundKeys(secret, { ...both, channel: { sender, receiver, openBlock } }),
  )
  return (openBlock) => {
    const found = keys[openBlock]
    if (found === undefined) throw new Error(`channel ${openBlock} has no keys`)
    return found
  }
}

interface Chain {
  readonly commitment: SignedCommitment
  readonly words: readonly TickWord[]
}

/**
 * Writes `<prefix>.<thread>`, as `writePayments` does, and `<prefix>.first.<thread>`: the payment with which each
 * channel's keys are derived and its commitment is checked.
 */
export async function writeTickPayments(
  prefix: string,
  fleet: Fleet & { readonly keysOf: KeysOf },
  count: number,
): Promise<void> {
  const perThread = Math.ceil(count / threads)
  const share = fleet.channels / threads
  const chainOf = await chainsOf(fleet)
  for (let thread = 0; thread < threads; thread++) {
    const lines: string[] = []
    for (let index = 0; index < perThread; index++) {
      const openBlock = thread * share + (index % share)
      lines.push(requestLine(fleet, chainOf, { openBlock, payment: Math.floor(index / share) }))
    }
    await writeLines(`${prefix}.first.${thread}`, lines.slice(0, share))
    await writeLines(`${prefix}.${thread}`, lines.slice(share))
  }
}

async function writeLines(path: string, lines: readonly string[]): Promise<void> {
  const file = await open(path, 'w')
  await file.write(`${lines.join('\n')}\n`)
  await file.close()
}

/** The chain of the commitment with this number on a channel; the last one of each is kept. */
async function chainsOf({ domain, receiver, price }: Fleet) {
  const { keccak } = (await chooseRecovery()).recovery
  const digestOf = commitmentDigest(domain, receiver, keccak)
  const kept = new Map<number, Chain & { readonly number: number }>()
  return (openBlock: number, number: number): Chain => {
    const known = kept.get(openBlock)
    if (known?.number === number) return known
    const words = tickChain(toHex(randomBytes(32)) as TickWord, mostTicks, keccak)
    const [root] = words
    if (root === undefined) throw new Error('a chain without a root')
    const base = price * BigInt(number * mostTicks)
    const unsigned = { base, step: price, ticks: mostTicks, root }
    const signature = signDigest(digestOf(openBlock, unsigned), senderKey)
    const chain = { number, words, commitment: { ...unsigned, signature } }
    kept.set(openBlock, chain)
    return chain
  }
}

function requestLine(
  { domain, receiver, price, keysOf }: Fleet & { readonly keysOf: KeysOf },
  chainOf: (openBlock: number, number: number) => Chain,
  { openBlock, payment }: { readonly openBlock: number; readonly payment: number },
): string {
  const { commitment, words } = chainOf(openBlock, Math.floor(payment / mostTicks))
  const index = 1 + (payment % mostTicks)
  const tick = words[index]
  if (tick === undefined) throw new Error('a chain that is too short')
  const { contract } = domain
  const fields = Object.entries({
    ...formatAudience({ origin: 'http://bench', contract, receiver, sender, openBlock }),
    ...formatBoundPayment({
      ...{ balance: price * BigInt(payment + 1), amount: price, tick },
      ...(index === 1 && { commitment }),
    }),
  })
  const message = { method: 'GET', path: '/paid', query: '', fields }
  const { fields: signature } = signRequest(message, keysOf(openBlock), { hmac })
  return [...fields, ...Object.entries(signature)].map((each) => each.join(': ')).join('|')
}
