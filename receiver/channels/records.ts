// What the receiver keeps of one channel, and how it is written to disk. What the chain says and what
// was paid have different authorities and different writers, so they are two records.
import type { NumberedKey } from '../../protocol/bound/index.ts'
import {
  type Address,
  type ChainBlock,
  type ContractBlock,
  type Interval,
  parseUint192,
  type ShownProof,
  type Signature,
  type SignatureForm,
  storedAddress,
  type TickedCommitment,
  type TokenAmount,
} from '../../protocol/index.ts'
import { type Claims, noClaims } from './claims.ts'

/** What the chain says, after its confirmations. */
export interface ChainFacts {
  readonly sender: Address
  readonly openBlock: ContractBlock
  readonly deposit: TokenAmount
  /** What the receiver took out while the channel stayed open. */
  readonly withdrawn: TokenAmount
  readonly state: 'open' | 'closing' | 'settled'
  /** There once a close was requested. */
  readonly end?: ChannelEnd
}

/** Closing: the balance that stands, and the block of the request. Settled: what was paid, and when. */
export interface ChannelEnd {
  readonly balance: TokenAmount
  readonly block: ChainBlock
  /** What the contract saw as its number: the challenge period is counted from it. */
  readonly contractBlock: ContractBlock
}

/** Of requests of one channel that may be run again, numbered from 1. */
export interface AnswerNumbers {
  /** How many have paid. */
  readonly last: number
  /** Of the last 64, in rising order: those whose answers are not known to have left whole. */
  readonly open: readonly AnswerRecord[]
}

/** What a request has paid. */
export interface AnswerRecord {
  readonly number: number
  /** The first 16 bytes of its MAC, in hex. */
  readonly mac: string
  /** Without what was given back. */
  readonly paid: Interval
}

/** A balance, signed. */
export interface SignedProof {
  readonly signature: Signature
  readonly form: SignatureForm
}

/** A balance on the grid of a commitment, with the tick that proves it (docs/reference/ticks.md). */
export interface TickedProof extends TickedCommitment {
  readonly form: 'eip712'
}

export type BestProof = SignedProof | TickedProof

export function isTicked(proof: BestProof): proof is TickedProof {
  return 'commitment' in proof
}

/** What was paid. */
export interface PaymentLedger {
  /** `claims.highest` is the balance of the best proof. */
  readonly claims: Claims
  /** The best proof; there is none before the first payment. */
  readonly proof?: BestProof
  /**
   * The one commitment whose ticks are taken, with the highest of them that was shown: that of the best proof, if
   * that is a tick, too. Undefined: none, or it was forgotten.
   */
  readonly ticks?: TickedProof | undefined
  /** The best ones under earlier deposits that may stand again; in rising order, below the best. */
  readonly fallbacks?: readonly ProvenBalance[] | undefined
  /** We signed a closing agreement: a payment after it could not be claimed any more. */
  readonly agreedToClose: boolean
  /** The balance of that agreement, which holds for ever. */
  readonly agreedBalance?: TokenAmount | undefined
  /** We want to close it ourselves. Taken back when nothing comes of it, unlike an agreement. */
  readonly collecting?: true
  /** The sender's key: the channel is bound, and takes nothing that is not. */
  readonly requestKey?: NumberedKey | undefined
  /** Of its bound requests. */
  readonly answers?: AnswerNumbers | undefined
}

/** A balance with its proof, in the form that the contract takes. */
export interface ProvenBalance {
  readonly balance: TokenAmount
  readonly signature: ShownProof
  readonly form: SignatureForm
}

/** A request that has paid and whose answer is not known to be made: a crash may have been in between. */
export interface Unanswered {
  readonly sender: Address
  readonly openBlock: ContractBlock
  readonly paid: Interval
  /** Unix time in milliseconds. */
  readonly expires: number
}

/** By the request's id; undefined once it is answered, or has its money back. */
export type UnansweredChange = readonly [id: string, unanswered: Unanswered | undefined]

export const emptyLedger: PaymentLedger = { claims: noClaims, agreedToClose: false }

/** Both together. */
export interface Channel extends ChainFacts, PaymentLedger {}

/** What of it was paid, as it is kept. */
export function ledgerOf(channel: Channel): PaymentLedger {
  const { sender, openBlock, deposit, withdrawn, state, end, ...ledger } = channel
  return ledger
}

/** Sender and open block: the receiver is always the same. */
export type ChannelName = `${Address}/${number}`

export function channelName(sender: Address, openBlock: ContractBlock): ChannelName {
  return `${sender}/${openBlock}`
}

/** What a name says. */
export function channelOfName(name: ChannelName): Pick<ChainFacts, 'sender' | 'openBlock'> {
  const [sender = '', openBlock = ''] = name.split('/')
  return { sender: storedAddress(sender), openBlock: Number(openBlock) }
}

export function acceptsPayments({ state, agreedToClose, collecting }: Channel): boolean {
  return state === 'open' && !agreedToClose && collecting !== true
}

export const channelStates = ['open', 'agreed', 'closing', 'settled'] as const

/** `agreed`: we signed a closing agreement, or close it ourselves, and wait for it on the chain. */
export type ChannelState = (typeof channelStates)[number]

/** As people see it. */
export function stateOf(channel: Channel): ChannelState {
  if (channel.state !== 'open') return channel.state
  return acceptsPayments(channel) ? 'open' : 'agreed'
}

/** What a channel owes the receiver at this balance: the rest was taken out, or paid at its end. */
export function dueOf({ state, withdrawn }: ChainFacts, balance: TokenAmount): TokenAmount {
  return state === 'settled' || balance <= withdrawn ? 0n : balance - withdrawn
}

/** Amounts are decimal strings on disk: JSON numbers would lose digits. */
export function encodeFacts(facts: ChainFacts): string {
  const { end } = facts
  return JSON.stringify({ ...facts, ...(end && { end: encodeEnd(end) }) }, (_, value) =>
    typeof value === 'bigint' ? `${value}` : value,
  )
}

/** @throws UraidenError when a field is not what it should be: the file was damaged */
export function decodeFacts(text: string): ChainFacts {
  const { sender, openBlock, deposit, withdrawn, state, end } = JSON.parse(text)
  return {
    sender: storedAddress(sender),
    openBlock,
    deposit: parseUint192(deposit),
    withdrawn: parseUint192(withdrawn),
    state,
    ...(end && { end: decodeEnd(end) }),
  }
}

type WrittenEnd = Omit<ChannelEnd, 'balance' | 'contractBlock'> &
  Partial<Pick<ChannelEnd, 'contractBlock'>> & { readonly balance: string }

/** The contract's number is written where it is another one. */
function encodeEnd({ balance, block, contractBlock }: ChannelEnd): WrittenEnd {
  const written = { balance: `${balance}`, block }
  return Number(contractBlock) === Number(block) ? written : { ...written, contractBlock }
}

function decodeEnd({ balance, block, contractBlock = Number(block) }: WrittenEnd): ChannelEnd {
  return { balance: parseUint192(balance), block, contractBlock }
}

export function encodeUnanswered({ sender, openBlock, paid, expires }: Unanswered): string {
  return JSON.stringify([sender, openBlock, `${paid.from}`, `${paid.to}`, expires])
}

/** @throws UraidenError when a field is not what it should be: the file was damaged */
export function decodeUnanswered(text: string): Unanswered {
  const [sender, openBlock, from, to, expires] = JSON.parse(text)
  const paid = { from: parseUint192(from), to: parseUint192(to) }
  return { sender: storedAddress(sender), openBlock, paid, expires }
}
