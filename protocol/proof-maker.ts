// Makes balance proofs, and recognises our own ones. Only the signer behind it knows the key.
import type { Address } from './address.ts'
import type { TokenAmount } from './amount.ts'
import type { ChannelId, ContractBlock } from './channel.ts'
import { contractAbilities } from './contract-version.ts'
import type { Feature, Payment, Terms } from './headers.ts'
import {
  balanceProofDigest,
  isBalanceProof,
  type SignatureDomain,
  type SignatureForm,
} from './proof.ts'
import type { Signer } from './signature.ts'
import {
  commitmentDigest,
  isTickForm,
  isTickProof,
  type ShownProof,
  type SignedCommitment,
  type TickCommitment,
} from './ticks.ts'

/** The channel of one's own, by its receiver. */
export interface OwnChannel {
  readonly receiver: Address
  readonly openBlock: ContractBlock
}

export interface ProofMaker {
  readonly payment: (
    channel: OwnChannel,
    balance: TokenAmount,
    form: SignatureForm,
  ) => Promise<Payment>
  readonly commitment: (
    channel: OwnChannel,
    commitment: TickCommitment,
  ) => Promise<SignedCommitment>
  /** True when the terms carry our own signature over the balance that they claim. */
  readonly isOwn: (channel: OwnChannel, terms: Terms) => boolean
}

/**
 * The form that binds the chain wherever the contract understands it and the receiver offers it; a
 * receiver of the original knows only its own.
 * @example
 * formFor('0.4.0', new Set(['eip712'])) // 'eip712'
 * formFor('0.2.0', new Set(['eip712'])) // 'seed'
 */
export function formFor(contractVersion: string, offered: ReadonlySet<Feature>): SignatureForm {
  const { forms } = contractAbilities(contractVersion)
  return forms.includes('eip712') && offered.has('eip712') ? 'eip712' : 'seed'
}

/**
 * Signs as this signer, for channels of this contract.
 * @example
 * const proofs = createProofMaker(signer, domain)
 * const payment = await proofs.payment(channel, 5n, 'eip712')
 */
export function createProofMaker(signer: Signer, domain: SignatureDomain): ProofMaker {
  return {
    payment: async ({ receiver, openBlock }, balance, form) => ({
      contract: domain.contract,
      receiver,
      sender: signer.address,
      openBlock,
      balance,
      signature: await signer.sign(balanceProofDigest(form, domain, receiver)(openBlock, balance)),
    }),
    commitment: async ({ receiver, openBlock }, commitment) => {
      const digest = commitmentDigest(domain, receiver)(openBlock, commitment)
      return { ...commitment, signature: await signer.sign(digest) }
    },
    isOwn: ({ receiver, openBlock }, { senderBalance: balance, signature: proof }) => {
      if (balance === undefined || proof === undefined) return false
      const channel = { sender: signer.address, receiver, openBlock }
      return isShownProof(domain, channel, { balance, proof })
    },
  }
}

/**
 * True when the channel's sender has signed what is shown of a balance.
 * @example
 * isShownProof(domain, channel, { balance: 5n, proof: signature }) // true
 */
export function isShownProof(
  domain: SignatureDomain,
  channel: ChannelId,
  { balance, proof }: { readonly balance: TokenAmount; readonly proof: ShownProof },
): boolean {
  return isTickForm(proof)
    ? isTickProof(domain, channel, { balance, proof })
    : isBalanceProof({ domain, channel, balance, signature: proof })
}
