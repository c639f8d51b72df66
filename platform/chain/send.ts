// Sends transactions of one account: estimated first, one nonce after the other, written down
// before they leave, found again when an answer was lost, replaced when the price of gas has risen.

import { type Hex, isUraidenError, type Signer } from '../../protocol/index.ts'
import { createTurns } from '../async/turns.ts'
import { platformError } from '../errors/index.ts'
import { type RawReceipt, readQuantity } from './answers.ts'
import { currentFees, estimateGas, etherMissing, gasPrice, lacksEther } from './estimate.ts'
import { replacementFees } from './fees.ts'
import { findReceipt, isDeepEnough, readReceipt, unconfirmed } from './receipt.ts'
import type { NodeError } from './rpc.ts'
import {
  feesOf,
  type JournalEntry,
  type SignedTransaction,
  signTransaction,
  type TransactionJournal,
  withFees,
} from './signed.ts'
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
}

export interface TransactionSender {
  /**
   * Sends one call and waits until it is `confirmations` blocks deep (1: in the latest block).
   * With a journal, `operation` names what is to happen once: after a crash the same name finds the
   * transaction that was signed for it, instead of sending a second one.
   * @throws UraidenError `transaction_reverts`, `ether_missing`, `fee_over_cap` (nothing was sent),
   * `transaction_refused` (the node took none), `transaction_reverted` (on the chain),
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
  const nonces = createNonceQueue()
  const { chain } = options
  // One after the other: two sends at once would take the same nonce. Urgent ones come first.
  const turns = createTurns()
  const waitFor = async (waiting: JournalEntry, wait: Omit<Wait, 'cap'>): Promise<Receipt> => {
    try {
      const cap = () => nonces.capFor(waiting.nonce)
      const receipt = await awaitReceipt(options, waiting, { ...wait, cap })
      return await outcome(options, receipt, wait)
    } finally {
      nonces.remove(waiting.nonce)
    }
  }
  const start: TransactionSender['start'] = async (call, operation) => {
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
      return earlier && waitFor(earlier, { purpose: operation, confirmations, operation })
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
  const hashes = entry.transactions.map(({ hash }) => hash)
  // Asked after the count: a receipt may appear between the two, but never disappear.
  if (readQuantity(used) > BigInt(entry.nonce)) {
    const mined = await Promise.all(
      hashes.map((hash) => chain.request('eth_getTransactionReceipt', [hash])),
    )
    if (mined.every((receipt) => receipt === null)) {
      await journal.delete(operation)
      return undefined
    }
  }
  return entry
}

async function submit(
  options: SenderOptions,
  nonces: NonceQueue,
  call: Call,
  operation: string | undefined,
): Promise<JournalEntry> {
  const { chain, signer } = options
  const gasLimit = await estimateGas(chain, signer.address, call)
  const [count, fees] = await Promise.all([
    chain.request('eth_getTransactionCount', [signer.address, 'pending']),
    currentFees(chain, capOf(options, call)()),
  ])
  // Another node may not know yet what the last one took.
  const nonce = Math.max(Number(readQuantity(count)), nonces.next())
  const envelope = { chainId: chain.chainId, nonce, gasLimit, fees }
  const transaction = await signTransaction(signer, call, envelope)
  const pending = { nonce, transactions: [transaction] }
  await call.onSigned?.()
  await note(options, operation, pending)
  try {
    await broadcast(options, call.purpose, transaction)
  } catch (error) {
    if (operation !== undefined) await options.journal?.delete(operation)
    throw error
  }
  return pending
}

async function note(
  { journal }: SenderOptions,
  operation: string | undefined,
  { nonce, transactions }: JournalEntry,
): Promise<void> {
  if (operation !== undefined) await journal?.put(operation, { nonce, transactions })
}

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
    // An earlier try, whose answer was lost, makes the node refuse this one.
    const known = await chain.request('eth_getTransactionByHash', [hash]).catch(() => 'unknown')
    if (known !== null) return
    const { message } = error.cause as NodeError
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
  { chain, journal }: SenderOptions,
  receipt: RawReceipt,
  { purpose, operation }: Omit<Wait, 'cap'>,
): Promise<Receipt> {
  const forget = async () => {
    if (operation !== undefined) await journal?.delete(operation)
  }
  try {
    const read = readReceipt(chain, purpose, receipt)
    if (operation === undefined || journal?.mined === undefined) await forget()
    else await journal.mined(operation)
    return read
  } catch (error) {
    if (isUraidenError(error, 'transaction_reverted')) await forget()
    throw error
  }
}

async function awaitReceipt(
  options: SenderOptions,
  first: JournalEntry,
  wait: Wait,
): Promise<RawReceipt> {
  const { chain, pollInterval = 500 } = options
  const { timeout = 600_000, replaceAfter = 120_000 } = options
  const giveUp = Date.now() + timeout
  let replaceAt = Date.now() + replaceAfter
  let pending = first
  for (;;) {
    const receipt = await findReceipt(
      chain,
      pending.transactions.map(({ hash }) => hash),
    )
    if (receipt && (await isDeepEnough(chain, receipt, wait.confirmations))) return receipt
    if (Date.now() > giveUp) throw unconfirmed(newestOf(pending).hash, wait.purpose)
    if (receipt === undefined && Date.now() > replaceAt) {
      replaceAt = Date.now() + replaceAfter
      pending = await replace(options, pending, wait)
    } else if (receipt === undefined) {
      await sendAgainIfForgotten(options, pending, wait.purpose)
    }
    await new Promise((resolve) => setTimeout(resolve, pollInterval))
  }
}

/** A node that never got it, or has thrown it out of its pool, gets it once more. */
async function sendAgainIfForgotten(
  options: SenderOptions,
  pending: JournalEntry,
  purpose: string,
): Promise<void> {
  const newest = newestOf(pending)
  const known = await options.chain
    .request('eth_getTransactionByHash', [newest.hash])
    .catch(() => 'unknown')
  if (known === null) await broadcast(options, purpose, newest).catch(() => undefined)
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
    await sendAgainIfForgotten(options, pending, wait.purpose)
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
interface NonceQueue {
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
