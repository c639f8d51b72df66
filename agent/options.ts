// What an agent is made with, what it can be asked for, and what it answers.
import type { Readable } from 'node:stream'
import type {
  Address,
  HeaderFields,
  Hex,
  Signer,
  TokenAmount,
  TokenUnit,
} from '../protocol/index.ts'
import type { Budget, BudgetLimit } from './budget/caps.ts'
import type { ClockTrust } from './budget/machine-clock.ts'
import type { ChannelChangeListener } from './channels/booking.ts'
import type { DepositPolicy } from './channels/choose.ts'
import type { ChannelBalance } from './channels/ledger-types.ts'
import type { FundingMethod } from './channels/opening.ts'
import type { PurchaseRecord } from './channels/purchases.ts'
import type { ChannelName } from './channels/records.ts'
import type { Swept } from './channels/sweep.ts'
import type { AgentHooks } from './purchase/hooks.ts'
import type { ExchangeResult, PaymentFacts, SentPayment } from './purchase/types.ts'
import type { ContentForm, TlsTrust } from './transport/transport.ts'

export interface AgentOptions {
  /** Holds the sender's key. */
  readonly signer: Signer
  /** One node, or several in the order of preference. */
  readonly rpcUrl: string | readonly string[]
  /** How many of the nodes have to say the same where money depends on it. Default 1. */
  readonly quorum?: number
  readonly chainId: bigint
  readonly contract: Address
  /** Folder for the ledger; made if missing, for its owner only. */
  readonly store: string
  /** In the token's smallest unit. What is not given is not limited. */
  readonly budget?: Budget
  /** IANA name of the zone in which a budget's days and months begin. Default UTC. */
  readonly timeZone?: string
  /** Whether the wall clock may be believed; see `ClockTrust`. Default auto. */
  readonly clock?: ClockTrust
  /** Who may be paid; anybody when not given. */
  readonly receivers?: readonly Address[]
  /** Who alone may be paid at this URL; undefined when nothing is known about it. Allowed without a list. */
  readonly receiverAt?: (url: URL) => Address | undefined
  /** Where may be bought, `host` or `host:port`; anywhere when not given. */
  readonly hosts?: readonly string[]
  /** Most that a price may be, as a multiple of what the same resource cost last. */
  readonly priceJump?: number
  /** Sign nothing and send nothing to the chain. */
  readonly dryRun?: boolean
  readonly deposit?: Partial<DepositPolicy>
  /** How tokens get into a channel. Default auto. */
  readonly funding?: FundingMethod
  /** How many payments one synced write covers; 1 syncs for each. Default 16. */
  readonly reservation?: number
  /** Blocks to wait for after an own transaction, the one with it included. Default 1. */
  readonly confirmations?: number
  /** Refuse to pay more for a unit of gas, in wei. */
  readonly mostFeePerGas?: bigint
  /** How long a receiver may take to see a channel confirmed, in milliseconds. */
  readonly confirmTimeout?: number
  /** Between two tries while waiting for the chain, in milliseconds. */
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
  readonly onChannelChange?: ChannelChangeListener
}

export interface RequestOptions {
  readonly method?: string
  readonly headers?: HeaderFields
  readonly body?: string | Uint8Array
  readonly signal?: AbortSignal
  /** Longest wait for one HTTP answer, in milliseconds. */
  readonly timeout?: number
  /** Refuse a higher price for this request, in the smallest unit. */
  readonly mostPrice?: TokenAmount
  /** The job whose budget it counts against too. */
  readonly job?: string
  /** Of a payment whose answer was lost: repeats it with the same proof. */
  readonly idempotencyKey?: string
  /**
   * Called with each payment before it leaves, and waited for; nothing leaves when it throws. Who writes
   * it down can ask for the answer after a crash, with `repeatPayment`.
   */
  readonly onPayment?: (payment: SentPayment) => void | Promise<void>
  /** Say what it costs, with the error `dry_run`; sign and send nothing. */
  readonly dryRun?: boolean
  /** Whether a content coding such as gzip is taken off. Default decoded. */
  readonly content?: ContentForm
}

export interface AgentResponse extends ExchangeResult {
  readonly status: number
  readonly text: () => string
  readonly json: () => unknown
}

export interface AgentStream {
  readonly status: number
  readonly headers: NodeJS.Dict<string | string[]>
  readonly body: Readable
  readonly payment: PaymentFacts | undefined
  readonly roundTrips: number
}

export interface BudgetView {
  /** The sum of all bounds: what may have been signed in all. */
  readonly reserved: TokenAmount
  readonly total: TokenAmount | undefined
  /** Every cap, with what is used of it. */
  readonly limits: readonly BudgetLimit[]
}

export interface CloseOptions {
  /** Any URL of the receiver, to close together with it; without one it is closed alone. */
  readonly api?: string | URL
  /** When the receiver refuses or cannot be reached. Default: give up with its error. */
  readonly otherwise?: 'requestClose'
  /** For a close without the receiver, where a crash hides the true balance. */
  readonly balance?: TokenAmount
}

export interface Agent {
  readonly address: Address
  readonly request: (url: string | URL, options?: RequestOptions) => Promise<AgentResponse>
  readonly get: (url: string | URL, options?: RequestOptions) => Promise<AgentResponse>
  readonly post: (url: string | URL, options?: RequestOptions) => Promise<AgentResponse>
  /**
   * The answer to a payment that left before, in this process or an earlier one, with the same method, URL
   * and body. It cannot cost twice.
   * @throws UraidenError `payment_spent`: its answer cannot be had; `payment_waits`: perhaps later;
   * `payment_superseded`: it was not taken; those of the transport
   */
  readonly repeatPayment: (
    url: string | URL,
    payment: SentPayment,
    options?: RequestOptions,
  ) => Promise<AgentResponse>
  /** Resolves with the headers; the body comes as it arrives. */
  readonly stream: (url: string | URL, options?: RequestOptions) => Promise<AgentStream>
  readonly channels: () => readonly ChannelBalance[]
  readonly budget: () => BudgetView
  /** The last purchases, oldest first. */
  readonly history: () => readonly PurchaseRecord[]
  /** What is on its way to the chain: taken up at the next connection to it. */
  readonly unfinished: () => readonly string[]
  readonly token: () => Promise<TokenUnit>
  /** `api` is any URL of the receiver: it sends the transaction where we have no ether for one. */
  readonly openChannel: (
    receiver: Address,
    deposit: TokenAmount,
    api?: string | URL,
  ) => Promise<ChannelName>
  readonly topUp: (channel: ChannelName, added: TokenAmount, api?: string | URL) => Promise<void>
  /**
   * Resolves with the closing transaction, or with that of the close request: `settle` ends the channel
   * after the challenge period.
   */
  readonly closeChannel: (channel: ChannelName, how: string | URL | CloseOptions) => Promise<Hex>
  /**
   * Ends the channels whose challenge period is over, and takes up closes that were agreed and not
   * finished; to be called again later for the others.
   */
  readonly settle: () => Promise<readonly ChannelName[]>
  /** Enters own channels that only the chain knows, from events since block `from` (default 0). */
  readonly recoverChannels: (from?: number) => Promise<readonly ChannelName[]>
  /**
   * Sends all tokens and, after the fees, all ether of the account there. Only without channels.
   * @throws UraidenError `sweep_channels_open`, `ether_missing`, and those of the chain
   */
  readonly sweep: (to: Address) => Promise<Swept>
  /** Writes exact balances and releases the store. */
  readonly stop: () => Promise<void>
}
