// What receiver and watchtower say to each other: JSON over HTTP, amounts as decimal strings.
import { z } from 'zod'
import { parsed } from '../../../platform/config/index.ts'
import { type NumberedKey, parseRequestPublicKey } from '../../../protocol/bound/index.ts'
import {
  type Address,
  type ContractBlock,
  maxBlockNumber,
  parseAddress,
  parseShownProof,
  parseUint192,
  type ShownProof,
  type TokenAmount,
} from '../../../protocol/index.ts'

/** Proofs in one message. */
export const mostProofs = 500

/** The best balance proof of one channel. */
export interface PushedProof {
  readonly sender: Address
  readonly openBlock: ContractBlock
  readonly balance: TokenAmount
  /** Of 65 bytes, or a tick of 160. */
  readonly signature: ShownProof
}

/** What else of a channel must not be lost: both hold for ever. */
export interface PushedRecord {
  readonly sender: Address
  readonly openBlock: ContractBlock
  /** The sender's key: the channel takes nothing that is not bound. */
  readonly requestKey?: NumberedKey | undefined
  /** The balance at which we have agreed to a close. */
  readonly agreedBalance?: TokenAmount | undefined
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

const ownerSchema = z.strictObject({
  chain_id: z.string().regex(/^\d{1,78}$/),
  contract: parsed(parseAddress),
  receiver: parsed(parseAddress),
})

export const pushSchema = ownerSchema.extend({
  proofs: z
    .array(
      z.strictObject({
        sender: parsed(parseAddress),
        open_block: z.int().min(0).max(maxBlockNumber),
        balance: parsed(parseUint192),
        signature: parsed(parseShownProof),
      }),
    )
    .max(mostProofs),
})

/** By an address of its own: a watchtower of before takes proofs as they always were. */
export const recordsSchema = ownerSchema.extend({
  records: z
    .array(
      z.strictObject({
        sender: parsed(parseAddress),
        open_block: z.int().min(0).max(maxBlockNumber),
        request_key: z
          .strictObject({
            key: parsed(parseRequestPublicKey),
            number: z.string().regex(/^\d{1,20}$/),
          })
          .optional(),
        agreed_balance: parsed(parseUint192).optional(),
      }),
    )
    .max(mostProofs),
})

/** In the order of the proofs. */
export const verdictsSchema = z.object({ verdicts: z.array(z.enum(verdicts)) })

export function formatPush(owner: ProofOwner, proofs: readonly PushedProof[]): string {
  const written: z.input<typeof pushSchema> = {
    ...ownerOf(owner),
    proofs: proofs.map(({ sender, openBlock, balance, signature }) => ({
      sender,
      open_block: openBlock,
      balance: `${balance}`,
      signature,
    })),
  }
  return JSON.stringify(written)
}

export function formatRecords(owner: ProofOwner, records: readonly PushedRecord[]): string {
  const written: z.input<typeof recordsSchema> = {
    ...ownerOf(owner),
    records: records.map(({ sender, openBlock, requestKey, agreedBalance }) => ({
      sender,
      open_block: openBlock,
      ...(requestKey && {
        request_key: { key: requestKey.key, number: `${requestKey.number}` },
      }),
      ...(agreedBalance !== undefined && { agreed_balance: `${agreedBalance}` }),
    })),
  }
  return JSON.stringify(written)
}

function ownerOf({ chainId, contract, receiver }: ProofOwner): z.input<typeof ownerSchema> {
  return { chain_id: `${chainId}`, contract, receiver }
}
