// Sends transactions of one account: estimated first, one nonce after the other, written down
// before they leave, found again when an answer was lost, replaced when the price of gas has risen.
import {
  fromHex,
  type Hex,
  isUraidenError,
  type Signer,
  UraidenError,
} from '../../protocol/index.ts'
import { currentFees, estimateGas, etherMissing, lacksEther } from './estimate.ts'
import { type Fees, replacementFees } from './fees.ts'
import type { JournalEntry, Pending, SignedTransaction, TransactionJournal } from './journal.ts'
import { findReceipt, isDeepEnough, readReceipt } from './receipt.ts'
import type { NodeError } from './rpc.ts'
import type { Call, ChainClient, Receipt } from './types.ts'

export interface SenderOptions {
  readonly chain: ChainClient
  readonly signer: Signer
  /** Refuse to pay more for a unit of gas, in wei. */
  readonly mostFeePerGas?: bigint
  /** How often to look for the receipt, in milliseconds. */
  readonly pollInterval?: number
  /** Longest wait for the receipt, in milliseconds. */
  readonly timeout?: number
  /** After so many milliseconds in no block a transaction is replaced at a higher fee. */
  readonly replaceAfter?: number
  /** Keeps operations that have a name across a crash. */
  readonly journal?: TransactionJournal
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
}

export interface StartedTransaction {
  /** A replacement at a higher fee has another hash. */
  readonly transaction: Hex
  readonly mined: (confirmations?: number) => Promise<Receipt>
}

export function createTransactionSender(options: SenderOptions): TransactionSender {
  const nonces = new Set<number>()
  // One after the other: two sends at once would take the same nonce.
  let last: Promise<unknown> = Promise.resolve()
  const inTurn = <Value>(work: () => Promise<Value>): Promise<Value> => {
    const done = last.then(work)
    last = done.catch(() => undefined)
    return done
  }
  const start: TransactionSender['start'] = async (call, operation) => {
    const waiting = await inTurn(async () => {
      const earlier = await resume(options, operation)
      const pending = earlier ?? (await submit(options, nonces, call, operation))
      nonces.add(pending.nonce)
      return pending
    })
    return {
      transaction: newestHash(waiting),
      mined: async (confirmations = 1) => {
        try {
          const receipt = await awaitReceipt(options, waiting, { call, confirmations, operation })
          return readReceipt(options.chain, call, receipt)
        } finally {
          nonces.delete(waiting.nonce)
        }
      },
    }
  }
  return {
    start,
    send: async (call, confirmations, operation) =>
      (await start(call, operation)).mined(confirmations),
  }
}

function newestHash({ transactions }: Pending): Hex {
  const newest = transactions.at(-1)
  if (newest === undefined) throw new Error('a pending operation without a transaction')
  return newest.hash
}

/** What was signed in an earlier run; undefined when it can never be mined any more. */
async function resume(
  { chain, signer, journal }: SenderOptions,
  operation: string | undefined,
): Promise<Pending | undefined> {
  if (journal === undefined || operation === undefined) return undefined
  const entry = await journal.get(operation)
  if (entry === undefined) return undefined
  const used = await chain.request('eth_getTransactionCount', [signer.address, 'latest'])
  const hashes = entry.transactions.map(({ hash }) => hash)
  // Asked after the count: a receipt may appear between the two, but never disappear.
  if (Number(used) > entry.nonce) {
    const mined = await Promise.all(
      hashes.map((hash) => chain.request('eth_getTransactionReceipt', [hash])),
    )
    if (mined.every((receipt) => receipt === null)) {
      await journal.delete(operation)
      return undefined
    }
  }
  return { ...entry, fees: undefined, gasLimit: 0n }
}

async function submit(
  options: SenderOptions,
  nonces: ReadonlySet<number>,
  call: Call,
  operation: string | undefined,
): Promise<Pending> {
  const { chain, signer, mostFeePerGas } = options
  const gasLimit = await estimateGas(chain, signer.address, call)
  const [count, fees] = await Promise.all([
    chain.request('eth_getTransactionCount', [signer.address, 'pending']),
    currentFees(chain, mostFeePerGas),
  ])
  // Another node may not know yet what the last one took.
  const nonce = Math.max(Number(count), ...[...nonces].map((taken) => taken + 1))
  const transaction = await sign(options, call, { nonce, gasLimit, fees })
  const pending = { nonce, gasLimit, fees, transactions: [transaction] }
  await note(options, operation, pending)
  try {
    await broadcast(options, call, transaction)
  } catch (error) {
    if (operation !== undefined) await options.journal?.delete(operation)
    throw error
  }
  return pending
}

interface Envelope {
  readonly nonce: number
  readonly gasLimit: bigint
  readonly fees: Fees
}

async function sign(
  { chain, signer }: SenderOptions,
  call: Call,
  { nonce, gasLimit, fees }: Envelope,
): Promise<SignedTransaction> {
  const { Transaction } = await import('ethers')
  const transaction = Transaction.from({
    chainId: chain.chainId,
    nonce,
    to: call.to ?? null,
    data: call.data,
    value: call.value ?? 0n,
    gasLimit,
    ...fees,
  })
  transaction.signature = await signer.sign(fromHex(transaction.unsignedHash))
  return { hash: transaction.hash as Hex, serialized: transaction.serialized as Hex }
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
  call: Call,
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
    if (lacksEther(message)) throw etherMissing(signer.address, call.purpose, error)
    throw new UraidenError({
      code: 'transaction_refused',
      message: `The node does not take the transaction to ${call.purpose}: ${message}`,
      hint: 'Nothing happened on the chain. Try again; another program may use the same key.',
      cause: error,
    })
  }
}

interface Wait {
  readonly call: Call
  readonly confirmations: number
  readonly operation: string | undefined
}

async function awaitReceipt(options: SenderOptions, first: Pending, wait: Wait) {
  const { chain, journal, pollInterval = 500 } = options
  const { timeout = 600_000, replaceAfter = 120_000 } = options
  const giveUp = Date.now() + timeout
  let replaceAt = Date.now() + replaceAfter
  let pending = first
  for (;;) {
    const receipt = await findReceipt(
      chain,
      pending.transactions.map(({ hash }) => hash),
    )
    if (receipt && (await isDeepEnough(chain, receipt, wait.confirmations))) {
      if (wait.operation !== undefined) await journal?.delete(wait.operation)
      return receipt
    }
    if (Date.now() > giveUp) throw unconfirmed(pending, wait.call)
    if (receipt === undefined && Date.now() > replaceAt) {
      replaceAt = Date.now() + replaceAfter
      pending = await replace(options, pending, wait)
    } else if (receipt === undefined) {
      await sendAgainIfForgotten(options, pending, wait.call)
    }
    await new Promise((resolve) => setTimeout(resolve, pollInterval))
  }
}

/** A node that never got it, or has thrown it out of its pool, gets it once more. */
async function sendAgainIfForgotten(
  options: SenderOptions,
  { transactions }: Pending,
  call: Call,
): Promise<void> {
  const newest = transactions.at(-1)
  if (newest === undefined) return
  const known = await options.chain
    .request('eth_getTransactionByHash', [newest.hash])
    .catch(() => 'unknown')
  if (known === null) await broadcast(options, call, newest).catch(() => undefined)
}

/** The same nonce at a higher fee; the same transaction again when the cap allows no more. */
async function replace(options: SenderOptions, pending: Pending, wait: Wait): Promise<Pending> {
  const { chain, mostFeePerGas } = options
  const now = await currentFees(chain, mostFeePerGas).catch(() => undefined)
  const stuck = pending.fees
  const fees = now && stuck && replacementFees(stuck, now, mostFeePerGas)
  if (!fees) {
    await sendAgainIfForgotten(options, pending, wait.call)
    return pending
  }
  const transaction = await sign(options, wait.call, { ...pending, fees })
  const replaced = { ...pending, fees, transactions: [...pending.transactions, transaction] }
  await note(options, wait.operation, replaced)
  // Refused when the old one was mined just now: then its receipt is there at the next look.
  await broadcast(options, wait.call, transaction).catch(() => undefined)
  return replaced
}

function unconfirmed({ transactions }: Pending, call: Call): UraidenError {
  return new UraidenError({
    code: 'transaction_unconfirmed',
    message: `The transaction ${transactions.at(-1)?.hash} to ${call.purpose} was sent but is not confirmed yet.`,
    hint: 'It may still be. Look at it again before you repeat it.',
  })
}
