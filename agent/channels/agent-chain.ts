import type { ChainClient, TransactionSender } from '../../platform/chain/index.ts'
import type { Signer } from '../../protocol/index.ts'
import type { Booking } from './booking.ts'

/** The chain side of the agent; connected when it is needed and not before. */
export interface AgentChain {
  readonly client: ChainClient
  readonly sender: TransactionSender
  readonly signer: Signer
  readonly book: Booking
}
