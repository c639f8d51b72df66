// Makes balance proofs, and recognises our own ones. Only the signer behind it knows the key.
import type { Address } from './address.ts'
import type { TokenAmount } from './amount.ts'
import type { ContractBlock } from './channel.ts'
import { contractAbilities } from './contract-version.ts'
import type { Feature, Payment, Terms } from './headers.ts'
import {
  balanceProofDigest,
  isBalanceProof,
  type SignatureDomain,
  type SignatureForm,
} from './proof.ts'
import type { Signer } from './signature.ts'

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
  /** True when the terms carry our own signature over the balance that they claim. */
  readonly isOwn: (channel: OwnChannel, terms: Terms) => boolean
}

/**
 * The form that binds the chain wherever the contract understands it and the receiver offers it; a
 * receiver of the original knows only its own.
 */
export function formFor(contractVersion: string, offered: ReadonlySet<Feature>): SignatureForm {
  const { forms } = contractAbilities(contractVersion)
  return forms.includes('eip712') && offered.has('eip712') ? 'eip712' : 'seed'
}

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
      isBalanceProof({
        domain,
        channel: { sender: signer.address, receiver, openBlock },
        balance: senderBalance,
        signature,
      }),
  }
}
