// Connects the agent to its chain.
import { connectChain, createTransactionSender } from '../../platform/chain/index.ts'
import type { Ledger } from '../ledger/types.ts'
import type { AgentOptions } from '../options.ts'
import type { AgentChain } from './agent-chain.ts'
import { type ChannelChangeListener, createBooking } from './booking.ts'
import { ledgerJournal } from './intents.ts'
import { finishUnfinished } from './unfinished.ts'

/**
 * Resolves once all that an earlier process has begun is booked.
 * @throws UraidenError those of `connectChain`
 */
export async function connectAgentChain(
  options: AgentOptions,
  ledger: Ledger,
  onChange: ChannelChangeListener,
): Promise<AgentChain> {
  const { rpcUrl, contract, chainId, signer, mostFeePerGas } = options
  const { retryInterval: pollInterval = 500, confirmations = 1 } = options
  const client = await connectChain({ rpcUrl, contract, chainId, quorum: options.quorum })
  const { notes } = ledger
  const sender = createTransactionSender({
    chain: client,
    signer,
    pollInterval,
    journal: ledgerJournal(notes),
    ...(mostFeePerGas !== undefined && { mostFeePerGas }),
  })
  const challengePeriod = async () => (await client.contractFacts()).challengePeriod
  const book = createBooking({ ledger, own: signer.address, challengePeriod, onChange })
  try {
    await finishUnfinished({ client, sender, signer, book }, { notes, confirmations, pollInterval })
    return { client, sender, signer, book }
  } catch (error) {
    client.close()
    throw error
  }
}
