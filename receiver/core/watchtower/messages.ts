// What receiver and watchtower say to each other: JSON over HTTP, amounts as decimal strings.
import { z } from 'zod'
import { parsed } from '../../../platform/config/index.ts'
import {
  type Address,
  type BlockNumber,
  maxBlockNumber,
  parseAddress,
  parseSignature,
  parseUint192,
  type Signature,
  type TokenAmount,
} from '../../../protocol/index.ts'

/** Proofs in one message. */
export const mostProofs = 500

/** The best balance proof of one channel. */
export interface PushedProof {
  readonly sender: Address
  readonly openBlock: BlockNumber
  readonly balance: TokenAmount
  readonly signature: Signature
}

/** Whose proofs they are. A watchtower takes those of one receiver on one contract on one chain. */
export interface ProofOwner {
  readonly chainId: bigint
  readonly contract: Address
  readonly receiver: Address
}

/** What the watchtower did with a proof. */
export const verdicts = [
  /** It is on the watchtower's disk. */
  'stored',
  /** One as high or higher is there already. */
  'outdated',
  /** It is not the sender's signature over this channel and balance. */
  'invalid',
  /** There is no room for another channel. */
  'full',
] as const

export type Verdict = (typeof verdicts)[number]

export const pushSchema = z.strictObject({
  chain_id: z.string().regex(/^\d{1,78}$/),
  contract: parsed(parseAddress),
  receiver: parsed(parseAddress),
  proofs: z
    .array(
      z.strictObject({
        sender: parsed(parseAddress),
        open_block: z.int().min(0).max(maxBlockNumber),
        balance: parsed(parseUint192),
        signature: parsed(parseSignature),
      }),
    )
    .max(mostProofs),
})

/** In the order of the proofs. */
export const verdictsSchema = z.object({ verdicts: z.array(z.enum(verdicts)) })

export function formatPush(
  { chainId, contract, receiver }: ProofOwner,
  proofs: readonly PushedProof[],
): string {
  const written: z.input<typeof pushSchema> = {
    chain_id: `${chainId}`,
    contract,
    receiver,
    proofs: proofs.map(({ sender, openBlock, balance, signature }) => ({
      sender,
      open_block: openBlock,
      balance: `${balance}`,
      signature,
    })),
  }
  return JSON.stringify(written)
}
