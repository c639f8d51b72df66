// Takes up what an earlier process has begun on the chain and could not book.
import { waitForTransaction } from '../../platform/chain/index.ts'
import { isUraidenError } from '../../protocol/index.ts'
import type { AgentChain } from './agent-chain.ts'
import { pendingOperations, readRelayed, relayedDeposits, transactionIntent } from './intents.ts'
import type { Notes } from './notes.ts'
import { findRelayed } from './relay.ts'

interface UnfinishedOptions {
  readonly notes: Notes
  readonly confirmations: number
  /** In milliseconds. */
  readonly pollInterval: number
}

/**
 * Once after each connection, before anything new is sent.
 * @throws UraidenError `chain_unavailable`
 */
export async function finishUnfinished(
  chain: AgentChain,
  options: UnfinishedOptions,
): Promise<void> {
  for (const operation of pendingOperations(options.notes)) {
    await finishOwn(chain, operation, options)
  }
  for (const intent of relayedDeposits(options.notes)) await finishRelayed(chain, intent, options)
}

async function finishOwn(
  { sender, book }: AgentChain,
  operation: string,
  { confirmations }: UnfinishedOptions,
): Promise<void> {
  try {
    const receipt = await sender.resume(operation, confirmations)
    if (receipt !== undefined) await book(receipt, transactionIntent(operation))
  } catch (error) {
    // Reverted: it is forgotten already. Not confirmed yet: it stays noted for the next time.
    const expected = ['transaction_reverted', 'transaction_unconfirmed'] as const
    if (!expected.some((code) => isUraidenError(error, code))) throw error
  }
}

/** The receiver has sent it, or may do so until its deadline; the chain says which. */
async function finishRelayed(
  { client, signer, book }: AgentChain,
  intent: string,
  { notes, confirmations, pollInterval }: UnfinishedOptions,
): Promise<void> {
  const relayed = readRelayed(notes, intent)
  if (relayed === undefined) return
  const transaction = await findRelayed(client, signer.address, intent, relayed)
  if (transaction !== undefined) {
    const wait = { purpose: 'add a deposit', confirmations, pollInterval }
    await book(await waitForTransaction(client, transaction, wait), intent)
  } else if ((await client.head()).timestamp > relayed.deadline) {
    await notes.now(intent, undefined)
  }
}
