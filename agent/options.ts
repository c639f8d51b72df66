// What an agent is made with, what it can be asked for, and what it answers.

import type { ChallengeTime } from '../platform/chain/index.ts'
import type { ClockTrust } from '../platform/time/machine-clock.ts'
import type {
  Address,
  BlockClock,
  ChainBlock,
  Signer,
  TokenAmount,
  TokenUnit,
} from '../protocol/index.ts'
import type { DailyUse } from './budget/accounts.ts'
import type { Budget, BudgetLimit } from './budget/caps.ts'
import type { BoundPolicy } from './channels/binding.ts'
import type { ChannelChangeListener } from './channels/booking.ts'
import type { DepositPolicy } from './channels/choose.ts'
import type { HourSums } from './channels/hours.ts'
import type { ChannelBalance, Ledger } from './channels/ledger-types.ts'
import type { ChannelManagement } from './channels/management.ts'
import type { FundingMethod } from './channels/opening.ts'
import type { TransactionCounts } from './channels/transaction-history.ts'
import type { ReceiverBehaviour } from './purchase/behaviour.ts'
import type { PaymentPlan } from './purchase/dialect.ts'
import type { PurchaseRecord } from './purchase/history.ts'
import type { AgentHooks } from './purchase/hooks.ts'
import type { Probe } from './purchase/probe.ts'
import type { Transfers } from './purchase/transfer.ts'
import type { Purchases } from './purchase/types.ts'
import type { TlsTrust } from './transport/transport.ts'
import type { Asset } from './x402/types.ts'

export type { CloseOptions } from './channels/management.ts'
export type { AgentResponse, AgentStream, RequestOptions } from './purchase/types.ts'

export interface AgentOptions {
  /** Holds the sender's key. */
  readonly signer: Signer
  /** One node, or several in the order of preference. */
  readonly rpcUrl: string | readonly string[]
  /** How many of the nodes have to say the same where money depends on it. Default 1. */
  readonly quorum?: number
  readonly chainId: bigint
  readonly contract: Address
  /**
   * Contracts that were used before, with the same token, newest first: channels on them pay where the receiver
   * takes that, until they are used up or closed. None is opened there but where the receiver knows no newer one.
   */
  readonly formerContracts?: readonly Address[]
  /** No channel of the account on `contract` is older. Default: the block in which the contract was deployed. */
  readonly startBlock?: ChainBlock
  /** Folder for the ledger; made if missing, for its owner only. */
  readonly store: string
  /**
   * A file in memory (on a tmpfs) that spares the card which `store` is on: it takes what changes until `flush`.
   * A killed process loses nothing; after a power cut the receiver is asked where channels stand.
   */
  readonly spool?: string | undefined
  /** In the token's smallest unit. What is not given is not limited. */
  readonly budget?: Budget
  /** IANA name of the zone in which a budget's days and months begin. Default UTC. */
  readonly timeZone?: string
  /** Whether the wall clock may be believed; see `ClockTrust`. Default auto. */
  readonly clock?: ClockTrust
  /** The receivers that may be paid; all when not given. */
  readonly receivers?: readonly Address[]
  /** The only receiver that may be paid at this URL, undefined when none is known. Allowed without a list. */
  readonly receiverAt?: (url: URL) => Address | undefined
  /**
   * Whether payments and answers are tied to their requests: for all receivers, or for each by what is bought
   * and whom it pays (undefined: as by default). Default require, and on contracts of version 0.2 prefer.
   * Channels that are bound stay so.
   */
  readonly bound?: BoundPolicy | ((url: URL, receiver: Address) => BoundPolicy | undefined)
  /**
   * Most payments that one signature may cover as a chain of hashes, where contract and receiver know that; 0 for
   * none. Who steals the store can spend what is left of it, with that receiver alone. Default 256, the most.
   */
  readonly ticks?: number
  /** Where may be bought, `host` or `host:port`; anywhere when not given. */
  readonly hosts?: readonly string[]
  /** Most that a price may be, as a multiple of what the same resource cost last. */
  readonly priceJump?: number
  /** Sign nothing and send nothing to the chain. */
  readonly dryRun?: boolean
  readonly deposit?: Partial<DepositPolicy>
  /**
   * Open no channel in a contract whose challenge period is shorter, in seconds as the chain's blocks take.
   * Default: any.
   */
  readonly leastChallengePeriod?: number
  /** How tokens get into a channel. Default auto. */
  readonly funding?: FundingMethod
  /** How many payments one synced write covers; 1 syncs for each. Default 16. */
  readonly reservation?: number
  /** Blocks to wait for after an own transaction, the one with it included. Default 1. */
  readonly confirmations?: number
  /** Refuse to pay more for a unit of gas, in wei. Default 500 gwei. */
  readonly mostFeePerGas?: bigint
  /**
   * How long a receiver may take to see a channel or a top-up confirmed, in milliseconds. Default 240 000: room
   * for 12 blocks of 12 seconds and for blocks that are late.
   */
  readonly confirmTimeout?: number
  /** Between two tries while waiting for the chain, in milliseconds. Default 500. */
  readonly retryInterval?: number
  /** How often to repeat a request whose answer was lost, where that cannot cost twice. Default 1. */
  readonly repeats?: number
  /** Longest wait for one HTTP answer, in milliseconds. */
  readonly timeout?: number
  /** Most bytes of a body that is read as a whole. Default 64 MiB. */
  readonly mostBody?: number
  readonly tls?: TlsTrust
  /** How many purchases are remembered for `history`. Default 500; 0 for none. */
  readonly history?: number
  readonly hooks?: AgentHooks
  /** Where and with what may be paid by x402, beside channels; nowhere when not given. */
  readonly x402?: X402Settings
  readonly onChannelChange?: ChannelChangeListener
}

export interface X402Settings {
  /** Tokens that may be paid with, the preferred one first. Each needs caps in `budget.assets`. */
  readonly assets: readonly Asset[]
  /** Seconds that an authorization may be good for, whatever a seller wants. Default 600. */
  readonly validFor?: number
  /** How a place may be paid; undefined: through channels alone. */
  readonly planFor: (url: URL) => PaymentPlan | undefined
}

export interface BudgetView {
  /** The sum of all bounds: what may have been signed in all. */
  readonly reserved: TokenAmount
  readonly total: TokenAmount | undefined
  /** Every cap, with what is used of it. */
  readonly limits: readonly BudgetLimit[]
  /** The same of what transactions cost: ether in wei, and numbers of openings. */
  readonly transactions: readonly BudgetLimit[]
}

export interface TransactionFacts {
  /** Own ones of the last seven days; undefined while it is not known for so long. */
  readonly lastWeek: TransactionCounts | undefined
  /** Own ones in all. */
  readonly inAll: TransactionCounts
  /** What a unit of gas cost last, in wei; undefined before the first transaction. */
  readonly gasPrice: bigint | undefined
}

export interface Agent extends Purchases, Transfers, ChannelManagement {
  readonly address: Address
  readonly channels: () => readonly ChannelBalance[]
  readonly budget: () => BudgetView
  /** When so much more can be spent under a limit, by the wall clock; undefined: never by itself. */
  readonly freeAt: Ledger['freeAt']
  /** What was spent and bought in each hour of the last 400 days; `count` adds what failed before it was paid. */
  readonly hours: Pick<HourSums, 'since' | 'count'>
  /** What a receiver is paid in a day, by the last ones: what deposits are sized by. */
  readonly perDay: (receiver: Address) => DailyUse
  /** In the calendar day of the budget. */
  readonly spentToday: () => TokenAmount
  /** How many transactions it made, and what they cost. */
  readonly transactions: () => TransactionFacts
  /** The last purchases, oldest first. */
  readonly history: () => readonly PurchaseRecord[]
  /**
   * Sends bound requests, unpaid, to find out what is altered between agent and receiver.
   * @throws UraidenError those of the transport
   */
  readonly probe: (url: string | URL) => Promise<Probe>
  /** Receivers with whom there was trouble lately, worst first. */
  readonly behaviour: () => readonly ReceiverBehaviour[]
  readonly token: () => Promise<TokenUnit>
  /** What the contract keeps for the account because the token refused to pay it: `settle` collects it. */
  readonly payoutCredit: () => Promise<TokenAmount>
  /** Of the contract: in blocks, and as a time as far as the chain shows it. */
  readonly challengeTime: () => Promise<ChallengeTime>
  /** How far the chain is, and how long its blocks take: `afterBlock` says with it when a channel can be settled. */
  readonly blockClock: () => Promise<BlockClock>
  /**
   * With a spool: writes to the store what is in it, and reserves anew. `beside`, a small object that JSON can hold, is
   * kept in the same write. @throws UraidenError `state_unwritable`
   */
  readonly flush: (beside?: object) => Promise<void>
  /** What was last kept so; undefined before. */
  readonly beside: () => unknown
  /** Writes exact balances and releases the store. */
  readonly stop: () => Promise<void>
}
