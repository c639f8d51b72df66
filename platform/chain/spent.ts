// What became of an operation when its nonce is used and the node shows no receipt: nodes behind a load
// balancer, or that index late, know the count of an account before they know its transactions. So the chain is
// asked in other ways, and nothing is taken for lost that is only not known.

import { type Address, type ChainBlock, isUraidenError, toQuantity } from '../../protocol/index.ts'
import { type RawReceipt, readBlockTransactions, readLogs, readQuantity } from './answers.ts'
import { readInPieces } from './ranges.ts'
import type { JournalEntry } from './signed.ts'
import type { ChainClient, RawLog } from './types.ts'

export type Fate =
  /** It happened, whether there is a receipt or not. */
  | { readonly kind: 'mined'; readonly receipt: RawReceipt }
  /** Another transaction has the nonce: it can never be mined. */
  | { readonly kind: 'superseded' }
  | { readonly kind: 'unknown' }

const unknown: Fate = { kind: 'unknown' }

/** Blocks that a node without an archive still knows the state of: geth keeps 128. */
const knownState = 120
/** Blocks that are searched for an entry that does not say since when it waits. */
const usualSearch = 10_000

/**
 * Of an operation without a receipt. Nodes that refuse or are away leave it unknown.
 * @throws UraidenError `chain_closed`
 */
export async function fateOf(
  chain: ChainClient,
  account: Address,
  entry: JournalEntry,
): Promise<Fate> {
  try {
    const { number: head } = await chain.head()
    if ((await countAt(chain, account, 'latest')) <= entry.nonce) return unknown
    const logs = await logsOf(chain, { account, entry, head })
    if (logs !== undefined) return { kind: 'mined', receipt: await receiptFrom(entry, logs) }
    return (await isSuperseded(chain, { account, entry, head })) ? { kind: 'superseded' } : unknown
  } catch (error) {
    if (!isUraidenError(error) || error.code === 'chain_closed') throw error
    return unknown
  }
}

async function countAt(chain: ChainClient, account: Address, block: string): Promise<number> {
  return Number(readQuantity(await chain.request('eth_getTransactionCount', [account, block])))
}

interface Spent {
  readonly account: Address
  readonly entry: JournalEntry
  readonly head: ChainBlock
}

/** What one of its transactions has logged about channels of the account. */
async function logsOf(
  chain: ChainClient,
  { account, entry: { transactions, since }, head }: Spent,
): Promise<readonly RawLog[] | undefined> {
  const hashes = transactions.map(({ hash }) => hash.toLowerCase())
  const from = since ?? Math.max(head - usualSearch, 0)
  const party = `0x${account.slice(2).toLowerCase().padStart(64, '0')}`
  // As the sender, or as the receiver.
  for (const topics of [
    [null, party],
    [null, null, party],
  ]) {
    const logs = await readInPieces(from, head, async (first, last) => {
      const range = { fromBlock: toQuantity(first), toBlock: toQuantity(last) }
      const filter = { address: chain.contract, ...range, topics }
      return readLogs(await chain.request('eth_getLogs', [filter]))
    })
    const own = logs.filter((log) => hashes.includes(log.transactionHash.toLowerCase()))
    if (own.length > 0) return own
  }
  return undefined
}

/** It did not fail, as it has logged. What it cost is at most what it offered. */
async function receiptFrom(
  { transactions }: JournalEntry,
  logs: readonly RawLog[],
): Promise<RawReceipt> {
  const { Transaction } = await import('ethers')
  const [{ transactionHash, blockNumber, blockHash }] = logs as readonly [RawLog]
  const signed = transactions.find(
    ({ hash }) => hash.toLowerCase() === transactionHash.toLowerCase(),
  )
  const { gasLimit, maxFeePerGas, gasPrice } = Transaction.from(signed?.serialized)
  return {
    ...{ transactionHash, blockNumber, blockHash, status: '0x1', logs },
    gasUsed: toQuantity(gasLimit),
    effectiveGasPrice: toQuantity(maxFeePerGas ?? gasPrice ?? 0n),
  }
}

/** Proven by the transaction that has the nonce, or by a use so long ago that no node lags as much. */
async function isSuperseded(chain: ChainClient, { account, entry, head }: Spent): Promise<boolean> {
  const isUsedIn = async (block: ChainBlock) =>
    (await countAt(chain, account, toQuantity(block))) > entry.nonce
  let before = Math.max(head - knownState, 0)
  if (await isUsedIn(before)) return isUnheardOf(chain, entry)
  let used = head
  while (used - before > 1) {
    const middle = Math.floor((before + used) / 2)
    if (await isUsedIn(middle)) used = middle
    else before = middle
  }
  const block = await chain.request('eth_getBlockByNumber', [toQuantity(used), true])
  const taken = readBlockTransactions(block).find(
    ({ from, nonce }) =>
      from.toLowerCase() === account.toLowerCase() && Number(nonce) === entry.nonce,
  )
  if (taken === undefined) return false
  return !entry.transactions.some(({ hash }) => hash.toLowerCase() === taken.hash.toLowerCase())
}

/** A node that still indexes says so, and then it is not known. */
async function isUnheardOf(chain: ChainClient, { transactions }: JournalEntry): Promise<boolean> {
  for (const { hash } of transactions) {
    if ((await chain.request('eth_getTransactionByHash', [hash])) !== null) return false
  }
  return true
}
