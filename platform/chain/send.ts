// Sends transactions of one account: estimated first, one nonce after the other, written down
// before they leave, found again when an answer was lost, replaced when the price of gas has risen.

import {
  type Address,
  type ChainBlock,
  type Hex,
  isUraidenError,
  type Signer,
  type UraidenError,
} from '../../protocol/index.ts'
import { createTurns, type Turns } from '../async/turns.ts'
import { platformError } from '../errors/index.ts'
import { type MonotonicClock, monotonic } from '../time/monotonic.ts'
import { type RawReceipt, readQuantity } from './answers.ts'
import { currentFees, estimateGas, etherMissing, gasPrice, lacksEther } from './estimate.ts'
import { replacementFees } from './fees.ts'
import type { NodeError } from './node.ts'
import { feeOf, findReceipt, isDeepEnough, readReceipt, unconfirmed } from './receipt.ts'
import {
  feesOf,
  type JournalEntry,
  type SignedTransaction,
  signTransaction,
  type TransactionJournal,
  withFees,
} from './signed.ts'
import { type Fate, fateOf } from './spent.ts'
import type { Call, ChainClient, Receipt } from './types.ts'

export interface SenderOptions {
  readonly chain: ChainClient
  readonly signer: Signer
  /** Refuse to pay more for a unit of gas, in wei. */
  readonly mostFeePerGas?: bigint | undefined
  /** How often to look for the receipt, in milliseconds. */
  readonly pollInterval?: number | undefined
  /** Longest wait for the receipt, in milliseconds. */
  readonly timeout?: number | undefined
  /** After so many milliseconds in no block a transaction is replaced at a higher fee. */
  readonly replaceAfter?: number | undefined
  /** Keeps operations that have a name across a crash. */
  readonly journal?: TransactionJournal | undefined
  readonly now?: MonotonicClock | undefined
  /** The same for all senders of one account: by default this is the only one. */
  readonly lane?: TransactionLane | undefined
  /** Of each transaction once it is in a block, in wei; one that was reverted among them. */
  readonly onFee?: ((fee: bigint) => void) | undefined
}

/** What senders of one account share: two that do not know of each other would take the same nonces. */
export interface TransactionLane {
  readonly nonces: NonceQueue
  readonly turns: Turns
}

export function createTransactionLane(): TransactionLane {
  return { nonces: createNonceQueue(), turns: createTurns() }
}

export interface TransactionSender {
  /**
   * Sends one call and waits until it is `confirmations` blocks deep (1: in the latest block).
   * With a journal, `operation` names what is to happen once: after a crash the same name finds the
   * transaction that was signed for it, instead of sending a second one.
   * @throws UraidenError `transaction_reverts`, `ether_missing`, `fee_over_cap` (nothing was sent),
   * `transaction_refused` (the node took none, or another transaction has its nonce), `transaction_reverted` (on the chain),
   * `transaction_unconfirmed` (sent, outcome unknown), `chain_unavailable`
   */
  readonly send: (call: Call, confirmations?: number, operation?: string) => Promise<Receipt>
  /**
   * The same in two steps, for those who have to answer before a block is mined: resolves when the
   * node has the transaction. `mined` must be called, once.
   */
  readonly start: (call: Call, operation?: string) => Promise<StartedTransaction>
  /**
   * Waits for what an earlier run has sent for this operation. Undefined when there is none, or when it
   * can never be mined any more.
   * `feeCap` as in a call, for the case that it has to be replaced.
   * @throws UraidenError `transaction_reverted`, `transaction_unconfirmed`, `chain_unavailable`
   */
  readonly resume: (
    operation: string,
    confirmations?: number,
    feeCap?: Call['feeCap'],
  ) => Promise<Receipt | undefined>
  /** What a unit of gas costs now, in wei. */
  readonly gasPrice: () => Promise<bigint>
}

export interface StartedTransaction {
  /** A replacement at a higher fee has another hash. */
  readonly transaction: Hex
  readonly mined: (confirmations?: number) => Promise<Receipt>
}

export function createTransactionSender(options: SenderOptions): TransactionSender {
  const { chain } = options
  // One after the other: two sends at once would take the same nonce. Urgent ones come first.
  const { nonces, turns } = options.lane ?? createTransactionLane()
  const waitFor = async (waiting: JournalEntry, wait: Omit<Wait, 'cap'>): Promise<Receipt> => {
    try {
      const cap = () => nonces.capFor(waiting.nonce)
      const receipt = await awaitReceipt(options, waiting, { ...wait, cap })
      if (receipt !== undefined) return await outcome(options, receipt, wait)
      if (wait.operation !== undefined) await options.journal?.delete(wait.operation)
      throw superseded(wait.purpose)
    } finally {
      nonces.remove(waiting.nonce)
    }
  }
  const start: TransactionSender['start'] = async (call, named) => {
    const operation = named ?? options.journal?.nameFor?.()
    const take = call.isUrgent ? turns.takeFirst : turns.take
    const waiting = await take(async () => {
      const earlier = await findEarlier(options, operation)
      const pending = earlier ?? (await submit(options, nonces, call, operation))
      nonces.add(pending.nonce, capOf(options, call))
      return pending
    })
    const { purpose } = call
    return {
      transaction: newestOf(waiting).hash,
      mined: (confirmations = 1) => waitFor(waiting, { purpose, confirmations, operation }),
    }
  }
  return {
    start,
    send: async (call, confirmations, operation) =>
      (await start(call, operation)).mined(confirmations),
    resume: async (operation, confirmations = 1, feeCap = () => options.mostFeePerGas) => {
      const earlier = await turns.take(async () => {
        const found = await findEarlier(options, operation)
        if (found !== undefined) nonces.add(found.nonce, feeCap)
        return found
      })
      if (earlier === undefined) return undefined
      return waitFor(earlier, { purpose: operation, confirmations, operation }).catch((error) => {
        if (!isUraidenError(error, 'transaction_refused')) throw error
        return undefined
      })
    },
    gasPrice: () => gasPrice(chain),
  }
}

function capOf({ mostFeePerGas }: SenderOptions, call: Call): () => bigint | undefined {
  return call.feeCap ?? (() => mostFeePerGas)
}

function newestOf({ transactions }: JournalEntry): SignedTransaction {
  const newest = transactions.at(-1)
  if (newest === undefined) throw new Error('a pending operation without a transaction')
  return newest
}

/** What was signed in an earlier run; undefined when it can never be mined any more. */
async function findEarlier(
  { chain, signer, journal }: SenderOptions,
  operation: string | undefined,
): Promise<JournalEntry | undefined> {
  if (journal === undefined || operation === undefined) return undefined
  const entry = await journal.get(operation)
  if (entry === undefined) return undefined
  const used = await chain.request('eth_getTransactionCount', [signer.address, 'latest'])
  if (readQuantity(used) <= BigInt(entry.nonce)) return entry
  const hashes = entry.transactions.map(({ hash }) => hash)
  if ((await findReceipt(chain, hashes)) !== undefined) return entry
  // A receipt that is not there yet is no proof that there will be none.
  if ((await fateOf(chain, signer.address, entry)).kind !== 'superseded') return entry
  await journal.delete(operation)
  return undefined
}

async function submit(
  options: SenderOptions,
  nonces: NonceQueue,
  call: Call,
  operation: string | undefined,
): Promise<JournalEntry> {
  const { chain, signer, journal } = options
  const gasLimit = await estimateGas(chain, signer.address, call)
  const [count, fees, { number: since }, firstFree = 0] = await Promise.all([
    pendingCount(chain, signer.address),
    currentFees(chain, capOf(options, call)()),
    chain.head(),
    journal?.firstFree?.(),
  ])
  // Another node may not know yet what the last one took.
  const nonce = Math.max(count, nonces.next(), firstFree)
  const envelope = { chainId: chain.chainId, nonce, gasLimit, fees }
  const transaction = await signTransaction(signer, call, envelope)
  const pending = { nonce, transactions: [transaction], since }
  await call.onSigned?.()
  await note(options, operation, pending)
  try {
    await broadcast(options, call.purpose, transaction)
  } catch (error) {
    if (operation !== undefined) await (journal?.refused ?? journal?.delete)?.(operation)
    throw error
  }
  return pending
}

/** Not every node tells of what waits for its block; what we wait for ourselves we know. */
async function pendingCount(chain: ChainClient, account: Address): Promise<number> {
  const count = (block: string) => chain.request('eth_getTransactionCount', [account, block])
  const found = await count('pending').catch((error) => {
    if (!isUraidenError(error, 'rpc_error')) throw error
    return count('latest')
  })
  return Number(readQuantity(found))
}

async function note(
  { journal }: SenderOptions,
  operation: string | undefined,
  entry: JournalEntry,
): Promise<void> {
  if (operation !== undefined) await journal?.put(operation, entry)
}

/** Words of nodes that have the transaction: from an earlier try, or from another node. */
const alreadyThere =
  /already (known|imported|exists|in (the )?(mem)?pool)|known transaction|already_?known|already_exists/i
/** It is in a block, or another one has its nonce: who waits for it finds out. */
const nonceUsed =
  /nonce (is )?(too low|already used|has already been used)|old_?nonce|nonce_too_low/i

/**
 * Resolves when the node has the transaction, and also when nobody knows: unknown is not failed.
 * @throws UraidenError `transaction_refused`, `ether_missing`: the node answered, and has it not
 */
async function broadcast(
  { chain, signer }: SenderOptions,
  purpose: string,
  { hash, serialized }: SignedTransaction,
): Promise<void> {
  try {
    await chain.request('eth_sendRawTransaction', [serialized])
  } catch (error) {
    if (!isUraidenError(error, 'rpc_error')) return
    const { message } = error.cause as NodeError
    if (alreadyThere.test(message) || nonceUsed.test(message)) return
    // An earlier try, whose answer was lost, makes the node refuse this one.
    const known = await chain.request('eth_getTransactionByHash', [hash]).catch(() => 'unknown')
    if (known !== null) return
    if (lacksEther(message)) throw etherMissing(signer.address, purpose, error)
    throw platformError({
      code: 'transaction_refused',
      message: `The node does not take the transaction to ${purpose}: ${message}`,
      cause: error,
    })
  }
}

interface Wait {
  readonly purpose: string
  readonly confirmations: number
  readonly operation: string | undefined
  /** The most for a unit of gas, as of now. */
  readonly cap: () => bigint | undefined
}

/** Written down as done when it has happened, and as never sent when it failed. */
async function outcome(
  { chain, journal, onFee }: SenderOptions,
  receipt: RawReceipt,
  { purpose, operation }: Omit<Wait, 'cap'>,
): Promise<Receipt> {
  const forget = async () => {
    if (operation !== undefined) await journal?.delete(operation)
  }
  onFee?.(feeOf(receipt))
  try {
    const read = await readReceipt(chain, purpose, receipt)
    if (operation === undefined || journal?.mined === undefined) await forget()
    else await journal.mined(operation)
    return read
  } catch (error) {
    if (isUraidenError(error, 'transaction_reverted')) await forget()
    throw error
  }
}

/**
 * Undefined when it can never be mined.
 * @throws UraidenError `transaction_unconfirmed`, `chain_closed`
 */
async function awaitReceipt(
  options: SenderOptions,
  first: JournalEntry,
  wait: Wait,
): Promise<RawReceipt | undefined> {
  const { chain, pollInterval = 500, now = monotonic } = options
  const { timeout = 600_000, replaceAfter = 120_000 } = options
  const giveUp = now() + timeout
  let replaceAt = now() + replaceAfter
  let pending = first
  const fateInBlock = oncePerBlock(options)
  for (;;) {
    const hashes = pending.transactions.map(({ hash }) => hash)
    const found = await findReceipt(chain, hashes)
    const place = found ? 'block' : await placeOf(chain, newestOf(pending))
    const fate = found || place === 'pool' ? undefined : await fateInBlock(pending)
    if (fate?.kind === 'superseded') return undefined
    const receipt = found ?? (fate?.kind === 'mined' ? fate.receipt : undefined)
    if (receipt && (await isDeepEnough(chain, receipt, wait.confirmations))) return receipt
    if (now() > giveUp) throw unconfirmed(newestOf(pending).hash, wait.purpose)
    if (receipt === undefined && now() > replaceAt) {
      replaceAt = now() + replaceAfter
      pending = await replace(options, pending, wait)
    } else if (receipt === undefined && place === 'nowhere') {
      await sendAgain(options, pending, wait.purpose)
    }
    await new Promise((resolve) => setTimeout(resolve, pollInterval))
  }
}

/** Where the node has a transaction that it shows no receipt of. */
async function placeOf(
  chain: ChainClient,
  { hash }: SignedTransaction,
): Promise<'pool' | 'block' | 'nowhere' | 'unknown'> {
  const known = await chain.request('eth_getTransactionByHash', [hash]).catch(() => undefined)
  if (known === null) return 'nowhere'
  if (typeof known !== 'object') return 'unknown'
  const { blockNumber } = known as { readonly blockNumber?: unknown }
  return typeof blockNumber === 'string' ? 'block' : 'pool'
}

/** What is asked takes several requests; between two blocks its answer stays the same. */
function oncePerBlock({ chain, signer }: SenderOptions) {
  let looked: ChainBlock | undefined
  return async (pending: JournalEntry): Promise<Fate | undefined> => {
    const head = await chain.head().catch(() => undefined)
    if (head === undefined || head.number === looked) return undefined
    looked = head.number
    return fateOf(chain, signer.address, pending)
  }
}

function superseded(purpose: string): UraidenError {
  return platformError({
    code: 'transaction_refused',
    message: `The transaction to ${purpose} can never be mined: another one of this account took its place.`,
  })
}

/** A node that never got it, or has thrown it out of its pool, gets it once more. */
async function sendAgain(
  options: SenderOptions,
  pending: JournalEntry,
  purpose: string,
): Promise<void> {
  await broadcast(options, purpose, newestOf(pending)).catch(() => undefined)
}

/** The same nonce at a higher fee; the same transaction again when the cap allows no more. */
async function replace(
  options: SenderOptions,
  pending: JournalEntry,
  wait: Wait,
): Promise<JournalEntry> {
  const newest = newestOf(pending)
  const cap = wait.cap()
  const now = await currentFees(options.chain, cap).catch(() => undefined)
  const fees = now && replacementFees(await feesOf(newest), now, cap)
  if (!fees) {
    if ((await placeOf(options.chain, newest)) === 'nowhere') {
      await sendAgain(options, pending, wait.purpose)
    }
    return pending
  }
  const transaction = await withFees(options.signer, newest, fees)
  const replaced = { ...pending, transactions: [...pending.transactions, transaction] }
  await note(options, wait.operation, replaced)
  // Refused when the old one was mined just now: then its receipt is there at the next look.
  await broadcast(options, wait.purpose, transaction).catch(() => undefined)
  return replaced
}

/** In wei; undefined: no limit. */
type FeeCap = () => bigint | undefined

/**
 * The nonces of one account that wait for their block. They are mined in order, so one that pays too
 * little holds up all that come after it: it is then worth what the most urgent of those is worth.
 */
export interface NonceQueue {
  readonly add: (nonce: number, cap: FeeCap) => void
  readonly remove: (nonce: number) => void
  /** The first that nobody here has taken. */
  readonly next: () => number
  /** The highest cap of this nonce and of all that wait behind it. */
  readonly capFor: (nonce: number) => bigint | undefined
}

function createNonceQueue(): NonceQueue {
  const waiting = new Map<number, FeeCap>()
  return {
    add: (nonce, cap) => void waiting.set(nonce, cap),
    remove: (nonce) => void waiting.delete(nonce),
    next: () => Math.max(0, ...[...waiting.keys()].map((taken) => taken + 1)),
    capFor: (nonce) => {
      const caps = [...waiting].filter(([each]) => each >= nonce).map(([, cap]) => cap())
      return caps.reduce((most, cap) => {
        if (most === undefined || cap === undefined) return undefined
        return cap > most ? cap : most
      }, 0n)
    },
  }
}
