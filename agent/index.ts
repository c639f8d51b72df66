// The agent as a library.
export { createKeySigner } from '../platform/keys/index.ts'
export type { Amount, KeyChoice, KeyFile } from '../platform/written/written.ts'
export { isUraidenError } from '../protocol/index.ts'
export { createAgent } from './agent.ts'
export type { DailyUse } from './budget/accounts.ts'
export type { Budget, BudgetLimit, WindowCaps } from './budget/caps.ts'
export type { BoundPolicy } from './channels/binding.ts'
export type { ChannelChange } from './channels/booking.ts'
export {
  type DepositPolicy,
  defaultDeposits,
  depositsFor,
  depositsWorth,
} from './channels/choose.ts'
export type { DepositKind, FeeShare } from './channels/deposit-fees.ts'
export type { HourSum } from './channels/hours.ts'
export type { ChannelBalance } from './channels/ledger-types.ts'
export type { ChannelName } from './channels/records.ts'
export type { TransactionCounts } from './channels/transaction-history.ts'
export { gotPayments, payingFetch } from './extras.ts'
export type {
  Agent,
  AgentOptions,
  AgentResponse,
  AgentStream,
  BudgetView,
  CloseOptions,
  RequestOptions,
  TransactionFacts,
} from './options.ts'
export type { ReceiverBehaviour } from './purchase/behaviour.ts'
export type {
  AgentHooks,
  BeforePayment,
  HookDecision,
  HookEvents,
  HookName,
} from './purchase/hooks.ts'
export type { Probe } from './purchase/probe.ts'
export type { TransferOptions } from './purchase/transfer.ts'
export type { PaymentFacts, SentPayment } from './purchase/types.ts'
export type { TlsTrust } from './transport/transport.ts'
export type { CreateAgentOptions, WrittenBudget, WrittenCaps, WrittenDeposit } from './written.ts'
