// What agent and receiver know of the chain: plain data, no library's types.
import type {
  Address,
  ChainBlock,
  ChannelId,
  ContractBlock,
  Hex,
  OpeningAuthorization,
  ShownProof,
  Signature,
  TokenAmount,
  TokenUnit,
} from '../../protocol/index.ts'

export interface BlockRef {
  readonly number: ChainBlock
  /** What contracts see as its number. */
  readonly contractBlock: ContractBlock
  readonly hash: Hex
  readonly parentHash: Hex
  /** Unix seconds. */
  readonly timestamp: number
}

/** A block as logs and receipts name it. */
export interface NamedBlock {
  readonly blockNumber: string
  readonly blockHash: string
  /** Of Arbitrum and its kind, where the node says it: the block of the chain below. */
  readonly l1BlockNumber?: string | null | undefined
}

export interface ContractFacts {
  /** Of the contract's code, such as `0.3.0`. */
  readonly version: string
  readonly token: Address
  /** Blocks between a close request and the earliest settlement, as the contract counts them. */
  readonly challengePeriod: number
  /** Most deposit that the contract takes in one channel. */
  readonly mostDeposit: TokenAmount
}

export interface TokenFacts extends TokenUnit {
  readonly address: Address
  readonly name: string
}

/** What the contract says about a channel that exists. */
export interface ChannelInfo {
  readonly deposit: TokenAmount
  /** Last block of the challenge period; 0 while no close is requested. */
  readonly settleBlock: ContractBlock
  readonly closingBalance: TokenAmount
  readonly withdrawn: TokenAmount
}

interface EventPlace {
  readonly block: ChainBlock
  /** What the contract saw as its number. */
  readonly contractBlock: ContractBlock
  readonly blockHash: Hex
  readonly transaction: Hex
  readonly logIndex: number
}

/** An event of the channels contract about one channel. Amounts in the token's smallest unit. */
export type ChannelEvent = EventPlace & { readonly channel: ChannelId } & (
    | { readonly kind: 'created'; readonly deposit: TokenAmount }
    | { readonly kind: 'toppedUp'; readonly added: TokenAmount }
    | { readonly kind: 'closeRequested'; readonly balance: TokenAmount }
    | { readonly kind: 'challenged'; readonly balance: TokenAmount }
    | { readonly kind: 'withdrawn'; readonly amount: TokenAmount }
    | {
        readonly kind: 'settled'
        readonly balance: TokenAmount
        readonly receiverTokens: TokenAmount
      }
  )

/** Which events: a block range, both ends included, and whose channels. */
export interface EventQuery {
  readonly from: ChainBlock
  readonly to: ChainBlock
  readonly sender?: Address | undefined
  readonly receiver?: Address | undefined
}

/** A contract call that is not sent yet. */
export interface Call {
  /** For messages, such as `open a channel`. */
  readonly purpose: string
  /** Left out to deploy a contract. */
  readonly to?: Address
  readonly data: Hex
  /** In wei. */
  readonly value?: bigint
  /**
   * The most to pay for a unit of gas, in wei, in place of the sender's own cap; asked again whenever
   * the transaction is to be replaced. Undefined: whatever it costs.
   */
  readonly feeCap?: () => bigint | undefined
  /** The most gas to give it; what needs more is not sent. Undefined: what the node estimates. */
  readonly mostGas?: bigint
  /**
   * Set where the contract passes over what it cannot do now: an estimate of gas in the newest block may
   * be one of doing nothing.
   */
  readonly passesOver?: true
  /**
   * Tried in place of `data`: the same done by a function that needs no less gas, and that fails, with its
   * reason, where `data` would pass over.
   */
  readonly tried?: Hex
  /** Goes before all that waits to be sent from this account. */
  readonly isUrgent?: true
  /** Awaited once the transaction is signed, before it leaves; when it rejects, nothing is sent. */
  readonly onSigned?: () => Promise<void>
}

export interface Receipt {
  readonly transaction: Hex
  readonly block: ChainBlock
  /** What contracts saw as its number. */
  readonly contractBlock: ContractBlock
  readonly blockHash: Hex
  readonly gasUsed: bigint
  /** What a unit of gas cost, in wei; undefined of a node that does not say it. */
  readonly gasPrice?: bigint | undefined
  /** In wei, as far as the node says it. */
  readonly fee: bigint
  /** The contract that was deployed, if one was. */
  readonly contract?: Address | undefined
  readonly events: readonly ChannelEvent[]
}

/** One connection to one chain and one channels contract on it. */
export interface ChainClient {
  readonly chainId: bigint
  readonly contract: Address
  readonly head: () => Promise<BlockRef>
  /** Undefined when the chain has no block of this number (yet, or any more). */
  readonly block: (number: ChainBlock) => Promise<BlockRef | undefined>
  readonly contractFacts: () => Promise<ContractFacts>
  readonly tokenFacts: () => Promise<TokenFacts>
  readonly tokenBalance: (account: Address) => Promise<TokenAmount>
  /** What the contract may take of the account's tokens. */
  readonly allowance: (account: Address) => Promise<TokenAmount>
  /** What the token refused to pay to the account: the contract keeps it. */
  readonly payoutCredit: (account: Address) => Promise<TokenAmount>
  /** In wei. */
  readonly etherBalance: (account: Address) => Promise<bigint>
  /** Undefined when the contract has no such channel (never opened, or settled). */
  readonly channelInfo: (channel: ChannelId) => Promise<ChannelInfo | undefined>
  /** In the order of the chain. */
  readonly events: (query: EventQuery) => Promise<readonly ChannelEvent[]>
  readonly calls: ChannelCalls
  /** For the transaction sender: one JSON-RPC request. */
  readonly request: (method: string, params: readonly unknown[]) => Promise<unknown>
  /** What contracts saw in the block that a log or a receipt names. */
  readonly contractBlock: (block: NamedBlock) => Promise<ContractBlock>
  /** The events of the channels contract in the logs of one block. */
  readonly decodeLogs: (
    logs: readonly RawLog[],
    contractBlock: ContractBlock,
  ) => readonly ChannelEvent[]
  /** The custom error in a revert's data, such as `ChannelNotFound`; undefined when unknown. */
  readonly revertReason: (data: string) => string | undefined
  readonly close: () => void
}

export interface RawLog {
  readonly address: string
  readonly topics: readonly string[]
  readonly data: string
  readonly blockNumber: string
  readonly blockHash: string
  readonly transactionHash: string
  readonly logIndex: string
}

export interface BalanceProofItem {
  readonly openBlock: ContractBlock
  readonly balance: TokenAmount
  readonly signature: ShownProof
}

/** Builds the calls that senders and receivers make. */
export interface ChannelCalls {
  /** ERC-223: opens in one transaction. */
  readonly openErc223: (token: Address, channel: NewChannel) => Call
  readonly topUpErc223: (token: Address, channel: ChannelId, added: TokenAmount) => Call
  readonly approve: (token: Address, amount: TokenAmount) => Call
  /** ERC-20, from account to account. */
  readonly transfer: (token: Address, to: Address, amount: TokenAmount) => Call
  readonly createChannel: (receiver: Address, deposit: TokenAmount) => Call
  readonly topUp: (channel: ChannelId, added: TokenAmount) => Call
  /** With a permit in place of an earlier approve; sent by the channel's sender. */
  readonly createChannelWithPermit: (channel: NewChannel, permit: SignedPermit) => Call
  /** Sent by anybody, with the sender's signature of `OpenChannel`. */
  readonly createChannelFor: (channel: NewChannel, permit: SignedPermit, signature: Hex) => Call
  /** Sent by anybody, with what the sender has signed for the token (EIP-3009). Of version 0.4 on. */
  readonly createChannelWithAuthorization: (
    opening: OpeningAuthorization,
    authorization: Hex,
  ) => Call
  /** Sent by anybody, with the sender's signature of `TopUp`. */
  readonly topUpFor: (
    channel: ChannelId,
    added: TokenAmount,
    permit: SignedPermit,
    signature: Hex,
  ) => Call
  readonly cooperativeClose: (
    channel: ChannelId,
    balance: TokenAmount,
    balanceSignature: Hex,
    closingSignature: Hex,
  ) => Call
  readonly uncooperativeClose: (channel: ChannelId, balance: TokenAmount) => Call
  /** Sent by the channel's sender. */
  readonly settle: (channel: ChannelId) => Call
  /** Sent by anybody; contracts of version 0.2 do not have it. */
  readonly settleFor: (channel: ChannelId) => Call
  /** Sent by whose it is; contracts of version 0.2 do not have it. */
  readonly collectCredit: (to: Address) => Call
  readonly withdraw: (proof: BalanceProofItem) => Call
  /** A batch of one costs less than `withdraw`, and fails when it cannot be done. Not of version 0.2. */
  readonly withdrawOne: (proof: BalanceProofItem) => Call
  /** The same for a close that the receiver sends. */
  readonly cooperativeCloseOne: (channel: ChannelId, proof: BalanceProofItem) => Call
  readonly withdrawBatch: (proofs: readonly BalanceProofItem[]) => Call
  readonly cooperativeCloseBatch: (proofs: readonly BalanceProofItem[]) => Call
  readonly challenge: (channel: ChannelId, balance: TokenAmount, signature: Hex) => Call
}

/** EIP-2612. */
export interface SignedPermit {
  /** Unix seconds; also of the message that comes with it. */
  readonly deadline: bigint
  readonly signature: Signature
}

export interface NewChannel {
  readonly sender: Address
  readonly receiver: Address
  readonly deposit: TokenAmount
}
