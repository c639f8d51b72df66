// The agent as a library.
export { createKeySigner } from '../platform/keys/index.ts'
export { createAgent } from './agent.ts'
export type { Budget, BudgetLimit, WindowCaps } from './budget/caps.ts'
export type { ChannelChange } from './channel/booking.ts'
export { type DepositPolicy, defaultDeposits } from './channel/choose.ts'
export type { PaymentFacts, SentPayment } from './exchange/types.ts'
export { payingFetch } from './extras/fetch.ts'
export { gotPayments } from './extras/got.ts'
export type { AgentHooks, HookDecision, HookEvents, HookName } from './hooks.ts'
export type { ChannelName } from './ledger/records.ts'
export type { ChannelBalance } from './ledger/types.ts'
export type {
  Agent,
  AgentOptions,
  AgentResponse,
  AgentStream,
  BudgetView,
  CloseOptions,
  RequestOptions,
} from './options.ts'
export type { TlsTrust } from './transport.ts'
