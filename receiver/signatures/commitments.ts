// Whether a commitment to ticks is signed by its channel's sender, on the calling thread: one stands for up to 256
// payments.
import {
  type Address,
  type ContractBlock,
  commitmentDigest,
  fromHex,
  isUraidenError,
  type Keccak256,
  type SignedCommitment,
  type TickProof,
  type TokenAmount,
  unpackTickProof,
} from '../../protocol/index.ts'
import type { ProofContext } from './checker.ts'
import { isSignedBy, type Recovery } from './recovery.ts'

interface ChannelId {
  readonly sender: Address
  readonly openBlock: ContractBlock
}

export interface CommitmentCheck {
  readonly isSigned: (channel: ChannelId, commitment: SignedCommitment) => boolean
  /** The fastest on this machine, for ticks. */
  readonly keccak: Keccak256
}

export function createCommitmentCheck(
  { domain, receiver }: Pick<ProofContext, 'domain' | 'receiver'>,
  by: Recovery,
): CommitmentCheck {
  const digestOf = commitmentDigest(domain, receiver, by.keccak)
  return {
    keccak: by.keccak,
    isSigned: ({ sender, openBlock }, commitment) => {
      const digest = digestOf(openBlock, commitment)
      return isSignedBy(by, fromHex(sender), { digest, signature: fromHex(commitment.signature) })
    },
  }
}

/** A balance with a tick as the contract takes it. */
export interface ShownTick extends ChannelId {
  readonly balance: TokenAmount
  readonly signature: TickProof
}

/** Whether a tick that is shown with its commitment proves the balance. */
export function isShownTick(
  { isSigned, keccak }: CommitmentCheck,
  { balance, signature, ...channel }: ShownTick,
): boolean {
  try {
    return isSigned(channel, unpackTickProof(signature, balance, keccak).commitment)
  } catch (error) {
    if (isUraidenError(error)) return false
    throw error
  }
}
