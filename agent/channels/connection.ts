// Connects the agent to its chain.
import {
  type ChainOptions,
  connectChain,
  createTransactionSender,
} from '../../platform/chain/index.ts'
import type { Signer } from '../../protocol/index.ts'
import type { AgentChain } from './agent-chain.ts'
import { type ChannelChangeListener, createBooking } from './booking.ts'
import { ledgerJournal } from './intents.ts'
import type { Ledger } from './ledger-types.ts'
import { finishUnfinished } from './unfinished.ts'

/** What the connection takes of the agent's options. */
interface ConnectionOptions extends Pick<ChainOptions, 'rpcUrl' | 'contract' | 'quorum'> {
  readonly chainId: bigint
  readonly signer: Signer
  /** How deep a block must be to count, itself included. Default 1. */
  readonly confirmations?: number
  /** Between two looks at the chain, in milliseconds. Default 500. */
  readonly retryInterval?: number
  /** In wei per gas. */
  readonly mostFeePerGas?: bigint
}

/**
 * Resolves once all that an earlier process has begun is booked.
 * @throws UraidenError those of `connectChain`
 */
export async function connectAgentChain(
  options: ConnectionOptions,
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
