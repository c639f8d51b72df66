// Makes balance proofs, and recognises our own ones. Only the signer behind it knows the key.
import type { Address } from './address.ts'
import type { TokenAmount } from './amount.ts'
import type { BlockNumber } from './channel.ts'
import { isUraidenError } from './errors.ts'
import type { Feature, Payment, Terms } from './headers.ts'
import { balanceProofDigest, type SignatureDomain, type SignatureForm } from './proof.ts'
import { recoverSigner, type Signer } from './signature.ts'

/** The channel of one's own, by its receiver. */
export interface OwnChannel {
  readonly receiver: Address
  readonly openBlock: BlockNumber
}

export interface ProofMaker {
  readonly payment: (
    channel: OwnChannel,
    balance: TokenAmount,
    form: SignatureForm,
  ) => Promise<Payment>
  /** True when the terms carry our own signature over the balance that they claim. */
  readonly isOwn: (channel: OwnChannel, terms: Terms) => boolean
}

/**
 * The form that binds the chain wherever the contract understands it and the receiver offers it; a
 * receiver of the original knows only its own.
 */
export function formFor(contractVersion: string, offered: ReadonlySet<Feature>): SignatureForm {
  return !contractVersion.startsWith('0.2.') && offered.has('eip712') ? 'eip712' : 'seed'
}

const forms: readonly SignatureForm[] = ['eip712', 'seed']

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
    isOwn: ({ receiver, openBlock }, { senderBalance, signature }) =>
      senderBalance !== undefined &&
      signature !== undefined &&
      forms.some((each) => {
        const digest = balanceProofDigest(each, domain, receiver)(openBlock, senderBalance)
        try {
          return recoverSigner(digest, signature) === signer.address
        } catch (error) {
          if (isUraidenError(error, 'unrecoverable_signature')) return false
          throw error
        }
      }),
  }
}
