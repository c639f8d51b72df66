// The agent's connection to its chain: made when it is needed, once, and with all that an earlier process has
// begun there booked before anything new is sent.
import {
  type ChainOptions,
  connectChain,
  createTransactionSender,
  type Receipt,
  type TransactionLane,
  type TransactionSender,
} from '../../platform/chain/index.ts'
import { isUraidenError, type Signer } from '../../protocol/index.ts'
import type { AgentChain } from './agent-chain.ts'
import { type ChannelChangeListener, createBooking } from './booking.ts'
import { ledgerJournal, pendingOperations, relayedDeposits, transactionIntent } from './intents.ts'
import type { LedgerFacts } from './ledger-storage.ts'
import type { Ledger } from './ledger-types.ts'
import type { Notes } from './notes.ts'
import { lookForEarlier } from './signed-deposit.ts'

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
  /** That of all connections of the account. */
  readonly lane?: TransactionLane
}

export interface ChainConnection {
  /** @throws UraidenError those of `connectChain` */
  readonly chain: () => Promise<AgentChain>
  /** Asked once of the chain, then kept in the ledger: paying goes on without the chain. */
  readonly facts: () => Promise<LedgerFacts>
  readonly stop: () => Promise<void>
}

export interface ConnectionParts {
  readonly ledger: Ledger
  readonly onChange: ChannelChangeListener
  /** Told of each own transaction before it is booked. */
  readonly onPaid: (receipt: Receipt) => void
}

export function createConnection(
  options: ConnectionOptions,
  parts: ConnectionParts,
): ChainConnection {
  const { ledger } = parts
  let connecting: Promise<AgentChain> | undefined
  const chain = (): Promise<AgentChain> => {
    connecting ??= connect(options, parts).catch((error) => {
      connecting = undefined
      throw error
    })
    return connecting
  }
  return {
    chain,
    facts: async () => {
      const known = ledger.facts()
      if (known !== undefined) return known
      const { client } = await chain()
      const [token, { version }] = await Promise.all([client.tokenFacts(), client.contractFacts()])
      const { address, symbol, decimals } = token
      const facts = { token: { address, symbol, decimals }, contractVersion: version }
      await ledger.rememberFacts(facts)
      return facts
    },
    stop: async () => {
      const connected = await connecting?.catch(() => undefined)
      connected?.client.close()
    },
  }
}

async function connect(
  options: ConnectionOptions,
  { ledger, onChange, onPaid }: ConnectionParts,
): Promise<AgentChain> {
  const { rpcUrl, contract, chainId, signer, mostFeePerGas } = options
  const { retryInterval: pollInterval = 500, confirmations = 1 } = options
  const client = await connectChain({ rpcUrl, contract, chainId, quorum: options.quorum })
  const { notes } = ledger
  const sender = counted(
    createTransactionSender({
      ...{ chain: client, signer, pollInterval, mostFeePerGas, lane: options.lane },
      journal: ledgerJournal(notes),
    }),
    onPaid,
  )
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

function counted(sender: TransactionSender, onPaid: ConnectionParts['onPaid']): TransactionSender {
  const paid = <Found extends Receipt | undefined>(receipt: Found): Found => {
    if (receipt !== undefined) onPaid(receipt)
    return receipt
  }
  return {
    ...sender,
    send: async (...what) => paid(await sender.send(...what)),
    resume: async (...what) => paid(await sender.resume(...what)),
  }
}

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
async function finishUnfinished(chain: AgentChain, options: UnfinishedOptions): Promise<void> {
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
  chain: AgentChain,
  intent: string,
  options: UnfinishedOptions,
): Promise<void> {
  const found = await lookForEarlier(chain, intent, options)
  if (found.kind === 'made') await chain.book(found.receipt, intent)
}
