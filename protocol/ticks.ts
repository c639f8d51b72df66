// Ticks: a sender signs the end of a chain of hashes once, and each further payment shows one value more of it
// (docs/reference/ticks.md; PayWord of Rivest and Shamir, 1996). w_(i-1) is the keccak-256 of w_i, and w_0 is
// the root that is signed. w_i proves the balance base + i · step.
import { keccak_256 } from '@noble/hashes/sha3.js'
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import { type Address, addressToBytes } from './address.ts'
import { maxTokenAmount, parseUint192, type TokenAmount } from './amount.ts'
import { fromHex, type Hex, shorten, toHex, writeUint } from './bytes.ts'
import type { ChannelId, ContractBlock } from './channel.ts'
import { isUraidenError, protocolError } from './errors.ts'
import type { Keccak256, SignatureDomain } from './proof.ts'
import {
  compactSignature,
  type Digest,
  parseSignature,
  recoverSigner,
  type Signature,
  shortSignature,
} from './signature.ts'
import { domainSeparator, typedDigest } from './typed-data.ts'

declare const brand: unique symbol

/** A value of a chain: 32 bytes in lower-case hex. */
export type TickWord = Hex & { readonly [brand]: 'TickWord' }

/** 160 bytes in lower-case hex, five words as the contract takes them: w ‖ ticks · 2^16 + i ‖ step ‖ r ‖ vs. */
export type TickProof = Hex & { readonly [brand]: 'TickProof' }

/** What stands where the bytes of a balance proof are taken: a plain one, or a tick with its commitment. */
export type ShownProof = Signature | TickProof

/** More would save no work and make a proof dearer on the chain. */
export const mostTicks = 256

/** What a sender signs once: it proves `base`, and `base + i · step` together with w_i for every i ≤ ticks. */
export interface TickCommitment {
  readonly base: TokenAmount
  readonly step: TokenAmount
  readonly ticks: number
  /** w_0 */
  readonly root: TickWord
}

export interface SignedCommitment extends TickCommitment {
  readonly signature: Signature
}

/** One value of a chain, and its place. */
export interface Tick {
  /** i: 0 is the root. */
  readonly index: number
  readonly word: TickWord
}

/** A commitment with one of its ticks. */
export interface TickedCommitment extends Tick {
  readonly commitment: SignedCommitment
}

const type =
  'TickProof(address receiver,uint32 block_created,uint192 base,uint192 step,uint16 ticks,bytes32 root)'

/**
 * The digest of a commitment (EIP-712, in the domain of balance proofs).
 * @example
 * const { root } = commitment
 * const message = { base: 0n, step: 5n, ticks: 256, root }
 * const signature = await signer.sign(commitmentDigest(domain, receiver)(channel.openBlock, message))
 */
export function commitmentDigest(
  domain: SignatureDomain,
  receiver: Address,
  keccak: Keccak256 = keccak_256,
): (openBlock: ContractBlock, commitment: TickCommitment) => Digest {
  const separator = domainSeparator(domain.contract, domain.chainId)
  const struct = new Uint8Array(7 * 32)
  struct.set(keccak(utf8ToBytes(type)), 0)
  struct.set(addressToBytes(receiver), 32 + 12)
  return (openBlock, { base, step, ticks, root }) => {
    writeUint(struct, BigInt(openBlock), 64, 32)
    writeUint(struct, base, 96, 32)
    writeUint(struct, step, 128, 32)
    writeUint(struct, BigInt(ticks), 160, 32)
    struct.set(fromHex(root), 192)
    return typedDigest(separator, keccak(struct), keccak)
  }
}

/**
 * True when the channel's sender signed the commitment.
 * @example
 * isCommitment(domain, channel, commitment) // true
 */
export function isCommitment(
  domain: SignatureDomain,
  { sender, receiver, openBlock }: ChannelId,
  commitment: SignedCommitment,
): boolean {
  try {
    const digest = commitmentDigest(domain, receiver)(openBlock, commitment)
    return recoverSigner(digest, commitment.signature) === sender
  } catch (error) {
    if (isUraidenError(error, 'unrecoverable_signature')) return false
    throw error
  }
}

/**
 * w_0 to w_ticks of the chain that ends in `last`.
 * @example
 * const [root, first] = tickChain(lastWord, 256)
 * hashTick(first, 1) === root // true
 */
export function tickChain(
  last: TickWord,
  ticks: number,
  keccak: Keccak256 = keccak_256,
): readonly TickWord[] {
  const chain: TickWord[] = [last]
  let bytes = fromHex(last)
  for (let at = 0; at < ticks; at++) {
    bytes = keccak(bytes)
    chain.push(toHex(bytes) as TickWord)
  }
  return chain.reverse()
}

/**
 * The value that lies `times` steps nearer to the root.
 * @example
 * hashTick(lastWord, 256) === commitment.root // true
 */
export function hashTick(word: TickWord, times: number, keccak: Keccak256 = keccak_256): TickWord {
  let bytes = fromHex(word)
  for (let at = 0; at < times; at++) bytes = keccak(bytes)
  return toHex(bytes) as TickWord
}

/**
 * The place of a balance on the commitment's grid, 0 to `ticks`; undefined when it is none of it.
 * @example
 * tickIndex({ ...commitment, base: 0n, step: 5n }, 15n) // 3
 * tickIndex({ ...commitment, base: 0n, step: 5n }, 16n) // undefined
 */
export function tickIndex(
  { base, step, ticks }: TickCommitment,
  balance: TokenAmount,
): number | undefined {
  const above = balance - base
  if (above < 0n || above % step !== 0n) return undefined
  const index = above / step
  return index > BigInt(ticks) ? undefined : Number(index)
}

/**
 * What the tick of this place proves.
 * @example
 * tickBalance({ ...commitment, base: 100n, step: 5n }, 3) // 115n
 */
export function tickBalance({ base, step }: TickCommitment, index: number): TokenAmount {
  return base + BigInt(index) * step
}

/**
 * 32 bytes in hex, such as stand in `RDN-Tick`.
 * @throws UraidenError `not_a_tick`
 * @example
 * parseTickWord(lastWord) === lastWord // true
 */
export function parseTickWord(text: string): TickWord {
  if (!/^0x[0-9a-fA-F]{64}$/.test(text)) throw notATick(text)
  return text.toLowerCase() as TickWord
}

/**
 * The value of `RDN-Tick-Commitment`: base, step, ticks, root and signature with one space between.
 * @throws UraidenError `not_a_commitment`, `not_a_tick`, `not_a_signature`, `high_s_signature`
 * @example
 * parseCommitment(formatCommitment(commitment)) // commitment
 */
export function parseCommitment(text: string): SignedCommitment {
  const parts = text.split(' ')
  const [base = '', step = '', ticks = '', root = '', signature = ''] = parts
  const numbers = [base, step, ticks]
  if (parts.length !== 5 || !numbers.every((each) => /^(0|[1-9][0-9]{0,57})$/.test(each))) {
    throw notACommitment(`"${shorten(text)}" is not base, step, ticks, root and signature.`)
  }
  return checkCommitment({
    base: parseUint192(base),
    step: parseUint192(step),
    ticks: ticks.length > 5 ? mostTicks + 1 : Number(ticks),
    root: parseTickWord(root),
    signature: parseSignature(signature),
  })
}

/**
 * The value of `RDN-Tick-Commitment`.
 * @example
 * const headers = { 'RDN-Tick-Commitment': formatCommitment(commitment) }
 */
export function formatCommitment({ base, step, ticks, root, signature }: SignedCommitment): string {
  return `${base} ${step} ${ticks} ${root} ${signature}`
}

/**
 * The bounds of a commitment: 1 to 256 ticks, a step of at least 1, and an end below 2^192.
 * @throws UraidenError `not_a_commitment`
 * @example
 * checkCommitment({ base: 0n, step: 5n, ticks: 256, root: commitment.root }).ticks // 256
 */
export function checkCommitment<Commitment extends TickCommitment>(
  commitment: Commitment,
): Commitment {
  const { step, ticks } = commitment
  if (!Number.isInteger(ticks) || ticks < 1 || ticks > mostTicks) {
    throw notACommitment(`A commitment has 1 to ${mostTicks} ticks.`)
  }
  if (step < 1n) throw notACommitment('A commitment’s step is at least 1.')
  if (tickBalance(commitment, ticks) > maxTokenAmount) {
    throw notACommitment('The commitment ends above the largest balance.')
  }
  return commitment
}

/**
 * The form that the contract takes, and that is shown to whoever asks for the proof of a balance.
 * @example
 * const proof = packTickProof({ commitment, index: 256, word: lastWord })
 * isTickProof(domain, channel, { balance: tickBalance(commitment, 256), proof }) // true
 */
export function packTickProof({ commitment, index, word }: TickedCommitment): TickProof {
  const { step, ticks, signature } = commitment
  const numbers = new Uint8Array(64)
  writeUint(numbers, (BigInt(ticks) << 16n) | BigInt(index), 0, 32)
  writeUint(numbers, step, 32, 32)
  const [r, vs] = compactSignature(signature)
  return toHex(concatBytes(fromHex(word), numbers, fromHex(r), fromHex(vs))) as TickProof
}

/**
 * What the contract's form says of a balance: the commitment has the base and the root that follow from it.
 * Nothing is proven yet: whose signature it is has to be asked.
 * @throws UraidenError `not_a_tick_proof`, `not_a_commitment`, `not_a_signature`, `high_s_signature`
 * @example
 * const proof = packTickProof({ commitment, index: 256, word: lastWord })
 * unpackTickProof(proof, tickBalance(commitment, 256)).commitment // commitment
 */
export function unpackTickProof(
  proof: TickProof,
  balance: TokenAmount,
  keccak: Keccak256 = keccak_256,
): TickedCommitment {
  const [word, counts, step, r, vs] = wordsOf(proof)
  const index = Number(counts & 0xffffn)
  const ticks = counts >> 16n
  const base = balance - BigInt(index) * step
  if (ticks > BigInt(mostTicks) || BigInt(index) > ticks || base < 0n || step > maxTokenAmount) {
    throw notATickProof('A tick does not fit its commitment, or the balance.')
  }
  const last = toWord(word)
  const s = vs & ((1n << 255n) - 1n)
  const v = vs >> 255n === 0n ? '1b' : '1c'
  const signature = parseSignature(`${toWord(r)}${toWord(s).slice(2)}${v}`)
  const root = hashTick(last, index, keccak)
  const commitment = checkCommitment({ base, step, ticks: Number(ticks), root, signature })
  return { commitment, index, word: last }
}

/**
 * True when the tick proves the balance: its commitment is signed by the channel's sender.
 * @example
 * const proof = packTickProof({ commitment, index: 256, word: lastWord })
 * isTickProof(domain, channel, { balance: tickBalance(commitment, 256), proof }) // true
 */
export function isTickProof(
  domain: SignatureDomain,
  channel: ChannelId,
  { balance, proof }: { readonly balance: TokenAmount; readonly proof: TickProof },
): boolean {
  try {
    return isCommitment(domain, channel, unpackTickProof(proof, balance).commitment)
  } catch (error) {
    if (isUraidenError(error)) return false
    throw error
  }
}

/**
 * Whether it is a tick, by its length.
 * @example
 * isTickForm(signature) // false
 */
export function isTickForm(proof: ShownProof): proof is TickProof {
  return proof.length === 322
}

/**
 * The bytes of a proof as they are shown: a signature of 65 bytes, or a tick of 160.
 * @throws UraidenError `not_a_signature`, `high_s_signature`
 * @example
 * parseShownProof(signature) === signature // true
 */
export function parseShownProof(text: string): ShownProof {
  return /^0x[0-9a-fA-F]{320}$/.test(text)
    ? (text.toLowerCase() as TickProof)
    : parseSignature(text)
}

/**
 * As the contract takes it where the bytes of a balance proof are: a signature in its short form.
 * @example
 * shortProof(signature) === shortSignature(signature) // true
 */
export function shortProof(proof: ShownProof): Hex {
  return isTickForm(proof) ? proof : shortSignature(proof)
}

type Words = readonly [bigint, bigint, bigint, bigint, bigint]

function wordsOf(proof: TickProof): Words {
  const word = (at: number) => BigInt(`0x${proof.slice(2 + 64 * at, 66 + 64 * at)}`)
  return [word(0), word(1), word(2), word(3), word(4)]
}

function toWord(value: bigint): TickWord {
  return `0x${value.toString(16).padStart(64, '0')}` as TickWord
}

function notATick(text: string) {
  return protocolError({ code: 'not_a_tick', message: `"${shorten(text)}" is not a tick.` })
}

function notACommitment(message: string) {
  return protocolError({ code: 'not_a_commitment', message })
}

function notATickProof(message: string) {
  return protocolError({ code: 'not_a_tick_proof', message })
}
