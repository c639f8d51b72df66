// The agent as a library.
export { createKeySigner } from '../platform/keys/index.ts'
export {
  type Agent,
  type AgentOptions,
  type AgentResponse,
  createAgent,
  type RequestOptions,
} from './agent.ts'
export { type DepositPolicy, defaultDeposits } from './channel/choose.ts'
export type { ChannelChange } from './channel/funding.ts'
export type { PaymentFacts } from './exchange/exchange.ts'
export type { ChannelBalance } from './ledger/ledger.ts'
export type { ChannelName } from './ledger/records.ts'
