// What a receiver is started with, and what it is once it runs.
import type { ContractFacts, TokenFacts } from '../../platform/chain/index.ts'
import type { SignedReceiverKey } from '../../protocol/bound/index.ts'
import type { Address, BlockClock, ChainBlock, Signer, TokenAmount } from '../../protocol/index.ts'
import type { ReceiverHealth } from '../chain/health.ts'
import type { ChannelBook } from '../channels/book.ts'
import type { ConfirmationStep, DepositLimits, Depth } from '../channels/ceiling.ts'
import type { Ledgers } from '../channels/ledgers.ts'
import type { ChannelManager } from '../channels/manager.ts'
import type { ChannelName, PaymentLedger } from '../channels/records.ts'
import type { RequestKeys } from '../channels/request-keys.ts'
import type { CommitObserver, WaitObserver } from '../channels/store.ts'
import type { OutageLimits } from '../paywall/outage.ts'
import type { PaywallPage } from '../paywall/page.ts'
import type { Paywall, PaywallObserver } from '../paywall/paywall.ts'
import type { ReplyLimits } from '../paywall/replies.ts'
import type { PostgresSettings } from '../postgres/settings.ts'
import type { Relay, RelayOptions } from '../settlement/relay.ts'
import type { Settlement, SettlementOptions } from '../settlement/settlement.ts'
import type { SharedAccount } from '../settlement/shared-account.ts'
import type { VerifierFacts, VerifierOptions } from '../signatures/index.ts'
import type { X402, X402Options } from '../x402/open.ts'
import type { PusherStatus, WatchtowerAddress } from './watchtower/pusher.ts'

/**
 * What the receiver tells whoever counts. All calls are made on the way of a request or a write, so
 * they must be quick and must not throw.
 */
export interface ReceiverObserver extends PaywallObserver {
  /** A write of so many records was synced, or failed; in a shared state a call with so many payments. */
  readonly committed: CommitObserver
  /** A payment has waited so long for the call of those before it; in a shared state alone. */
  readonly waited?: WaitObserver
  /** The node was asked; `outcome` is `ok` or the error's code. */
  readonly asked: (method: string, seconds: number, outcome: string) => void
  /** A transaction of ours is in a block, and cost so much, in wei. */
  readonly mined: (fee: bigint) => void
}

export interface ReceiverLog {
  /** Of each payment. */
  readonly debug?: (facts: object, message: string) => void
  readonly info: (facts: object, message: string) => void
  readonly warn: (facts: object, message: string) => void
}

export interface ReceiverOptions extends VerifierOptions {
  /** Holds the receiver's key: it signs closing agreements. */
  readonly signer: Signer
  /** One node, or several in the order of preference. */
  readonly rpcUrl: string | readonly string[]
  /** How many of the nodes have to say the same where money depends on it. Default 1. */
  readonly quorum?: number
  /** Longest wait for one answer of the node, in milliseconds. Default 10 000. */
  readonly timeout?: number | undefined
  /** Refuse a node of another chain. */
  readonly chainId?: bigint
  readonly contract: Address
  /** What its account shares with receivers on other contracts; see `shareAccount`. */
  readonly shared?: SharedAccount | undefined
  /** Folder for balance proofs; made if missing, for its owner only. */
  readonly state: string
  /** What several receivers share; the folder then has what is this process's own, such as its request key. */
  readonly database?: PostgresSettings | undefined
  /**
   * How deep a block must be for its deposits to count, itself included. Default 2: the block after it is
   * there. `finalised`: nothing is paid before. Or steps in rising order, of which all but the last say what a channel may owe on a deposit that
   * is no deeper.
   */
  readonly confirmations?: Depth | readonly ConfirmationStep[] | undefined
  /** What may be owed on deposits that have not reached the last step, in the token's smallest unit. */
  readonly notFinal?: Pick<DepositLimits, 'mostPerSender' | 'mostInAll'>
  /** Settled channels that are remembered; of older ones only sums stay. Default 1000. */
  readonly keepSettled?: number | undefined
  /** No event of the contract is older. Default: the block in which it was deployed, as far as the node can say. */
  readonly startBlock?: ChainBlock
  /** Refuse a contract whose challenge period is shorter, in seconds as the chain's blocks take. Default: any. */
  readonly leastChallengePeriod?: number
  /** Between two looks at the chain, in milliseconds. Default 2000. */
  readonly pollInterval?: number
  /** What is risked while the node does not answer. */
  readonly outage?: Partial<OutageLimits>
  /** Replies that may be asked for again, in time and bytes. */
  readonly replies?: Partial<ReplyLimits>
  /** What browsers see in place of a resource that is not paid for. */
  readonly page?: PaywallPage
  /** Who sells, as buyers read it with the price. */
  readonly seller?: string | undefined
  /** `require` takes payments of bound requests only. Default `offer`. */
  readonly bound?: 'offer' | 'require'
  /** `off`: takes no ticks, as where the contract knows none. Default `on`. */
  readonly ticks?: 'on' | 'off'
  /** Of a bound answer, in bytes, before it is sent without its digest. Default 65 536. */
  readonly collect?: number
  /** Where it is reached: bound requests for other origins are refused. Without, none is. */
  readonly origins?: readonly string[]
  /** What a proxy takes off the front of paths. */
  readonly publicPath?: string
  /** What is taken beside channels: `{ x402: { asset, … } }`. Default: nothing. */
  readonly accept?: { readonly x402?: X402Options | undefined } | undefined
  /** Send transactions for senders without ether, from this account; off when not given. */
  readonly relay?: RelayOptions
  /** When to withdraw, and what transactions may cost. Dishonest closes are answered without being asked to. */
  readonly settlement?: SettlementOptions
  /** Where copies of the best proofs go. */
  readonly watchtowers?: readonly WatchtowerAddress[]
  /** How often to look whether a transaction was mined, in milliseconds. Default 500. */
  readonly transactionPoll?: number
  readonly log?: ReceiverLog
  /** Counts what happens, for metrics. */
  readonly observer?: ReceiverObserver | undefined
  /** Milliseconds that only grow, by which an outage is measured; the process's own by default. */
  readonly now?: () => number
}

export interface Receiver {
  readonly address: Address
  readonly chainId: bigint
  readonly contract: Address
  /** Where reading the chain begins. */
  readonly startBlock: ChainBlock
  readonly contractFacts: ContractFacts
  readonly token: TokenFacts
  /** Whether bound requests may pay with ticks. */
  readonly takesTicks: boolean
  /** How signatures are checked. */
  readonly verifier: VerifierFacts
  readonly paywall: Paywall
  /**
   * Takes a payment that came without HTTP: what `agent.transfer` gave, as it is after `JSON.parse`, whoever
   * brought it. Resolves when its proof is on disk; the same proof again is refused with `balance_spent`.
   * @example
   * const outcome = await receiver.take(JSON.parse(message))
   * if (outcome.kind === 'taken') await openValve(outcome.amount)
   */
  readonly take: Paywall['take']
  readonly manager: ChannelManager
  /** Of several that share a state each knows what the others did some seconds later; see `channels`. */
  readonly book: ChannelBook
  /** Where a channel stands now, whoever was paid on it. */
  readonly channels: Pick<Ledgers, 'look' | 'isBoundOnly'>
  /** Those that senders have put for their channels. */
  readonly requestKeys: RequestKeys
  /** The receiver's own, as it is shown to everybody. */
  readonly ownRequestKey: () => Promise<SignedReceiverKey>
  /** Undefined when it is off. */
  readonly relay: Relay | undefined
  /** Undefined where it is not taken. */
  readonly x402: Pick<X402, 'asset' | 'payTo' | 'figures'> | undefined
  readonly settlement: Settlement
  /** How far each of them is behind. */
  readonly watchtowers: () => readonly PusherStatus[]
  /** Resolves once the chain was read up to its head. */
  readonly synced: Promise<void>
  /** Reads the chain now instead of at the next poll. */
  readonly refresh: () => Promise<void>
  /** Tokens the receiver holds outside channels, as of the last look at the chain. */
  readonly liquidBalance: () => TokenAmount
  readonly health: ReceiverHealth
  /** How far the chain is; undefined before it was looked at. `afterBlock` says with it when a close is settled. */
  readonly blockClock: () => BlockClock | undefined
  /** Its account's, for what it seals, such as backups. */
  readonly signer: Signer
  /** What was paid, as it is on disk at one moment. */
  readonly ledgers: () => Promise<ReadonlyMap<ChannelName, PaymentLedger>>
  readonly stop: () => Promise<void>
}
