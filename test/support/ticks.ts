// Tick proofs for tests, made with ethers: chains of hashes, what a sender signs of them, and the contract's form.
import {
  concat,
  getBytes,
  keccak256,
  Signature,
  SigningKey,
  TypedDataEncoder,
  toBeHex,
  zeroPadValue,
} from 'ethers'
import {
  type Address,
  type ChannelId,
  parseCommitment,
  parseTickWord,
  type SignatureDomain,
  type SignedCommitment,
  type TickWord,
} from '../../protocol/index.ts'

export const tickProofTypes = {
  TickProof: [
    { name: 'receiver', type: 'address' },
    { name: 'block_created', type: 'uint32' },
    { name: 'base', type: 'uint192' },
    { name: 'step', type: 'uint192' },
    { name: 'ticks', type: 'uint16' },
    { name: 'root', type: 'bytes32' },
  ],
}

/** What a sender signs. `root` has been hashed out of the chain's last value. */
export interface Commitment {
  readonly domain: SignatureDomain
  readonly receiver: Address
  readonly openBlock: number
  readonly base: bigint
  readonly step: bigint
  readonly ticks: number
  readonly root: string
}

/** w_0, the root, to w_length. */
export function hashChain(last: string, length: number): readonly string[] {
  const chain = [last]
  for (let at = 0; at < length; at++) chain.unshift(keccak256(chain[0] ?? last))
  return chain
}

export function eip712Domain({ contract, chainId }: SignatureDomain) {
  return {
    name: 'RaidenMicroTransferChannels',
    version: '1',
    chainId,
    verifyingContract: contract,
  }
}

export function tickProofDigest(commitment: Commitment): string {
  const { domain, receiver, openBlock, base, step, ticks, root } = commitment
  const message = { receiver, block_created: openBlock, base, step, ticks, root }
  return TypedDataEncoder.hash(eip712Domain(domain), tickProofTypes, message)
}

/** r and vs (EIP-2098) of a signature over a digest. */
export function signCompact(digest: string, key: string): readonly [r: string, vs: string] {
  const { r, yParityAndS } = Signature.from(new SigningKey(key).sign(digest))
  return [r, yParityAndS]
}

/** The five words of a tick as the contract takes them. */
export interface TickWords {
  readonly w: string
  readonly ticks: bigint | number
  readonly tick: bigint | number
  readonly step: bigint
  readonly r: string
  readonly vs: string
}

export function packTick({ w, ticks, tick, step, r, vs }: TickWords): string {
  const counts = (BigInt(ticks) << 16n) | BigInt(tick)
  return concat([w, word(counts), word(step), r, vs])
}

export function word(value: bigint | number): string {
  return zeroPadValue(toBeHex(value), 32)
}

export function unpackTick(bytes: string): TickWords {
  const words = Array.from({ length: 5 }, (_, at) => `0x${bytes.slice(2 + at * 64, 66 + at * 64)}`)
  const [w = '', counts = '', step = '', r = '', vs = ''] = words
  const packed = BigInt(counts)
  return { w, ticks: packed >> 16n, tick: packed & 0xffffn, step: BigInt(step), r, vs }
}

export function byteLength(hex: string): number {
  return getBytes(hex).length
}

/** A commitment that a channel's sender has signed, and its ticks. */
export interface Ticks {
  readonly commitment: SignedCommitment
  /** w_i */
  readonly word: (index: number) => TickWord
  readonly balance: (index: number) => bigint
  /** What a request shows to pay up to this place. */
  readonly proof: (index: number) => { readonly tick: TickWord }
  /** The same with the commitment. */
  readonly first: (index: number) => {
    readonly tick: TickWord
    readonly commitment: SignedCommitment
  }
}

/** `last` is the end of the chain. */
export function commitTicks(
  channel: ChannelId,
  { domain, key }: { readonly domain: SignatureDomain; readonly key: string },
  { base = 0n, step = 5n, ticks = 16, last = keccak256('0x01') } = {},
): Ticks {
  const chain = hashChain(last, ticks)
  const [root = ''] = chain
  const { receiver, openBlock } = channel
  const digest = tickProofDigest({ domain, receiver, openBlock, base, step, ticks, root })
  const { serialized } = new SigningKey(key).sign(digest)
  const commitment = parseCommitment([base, step, ticks, root, serialized].join(' '))
  const word = (index: number) => parseTickWord(chain[index] ?? '')
  return {
    commitment,
    word,
    balance: (index) => base + BigInt(index) * step,
    proof: (index) => ({ tick: word(index) }),
    first: (index) => ({ tick: word(index), commitment }),
  }
}
