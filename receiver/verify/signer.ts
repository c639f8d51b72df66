// Who signed a balance proof, in which of the two forms.
import {
  type Address,
  balanceProofDigest,
  isUraidenError,
  type Payment,
  type RecoverSigner,
  type SignatureDomain,
  type SignatureForm,
} from '../../protocol/index.ts'

export interface ProofChecker {
  /** The form in which the payment's sender signed it; undefined when it did not. */
  readonly formOf: (payment: Payment) => Promise<SignatureForm | undefined>
}

/** Contracts of version 0.2 understand the seed's form only: another one could not be claimed. */
export function acceptedForms(contractVersion: string): readonly SignatureForm[] {
  return contractVersion.startsWith('0.2.') ? ['seed'] : ['eip712', 'seed']
}

export function createProofChecker(
  domain: SignatureDomain,
  receiver: Address,
  forms: readonly SignatureForm[],
  recover: RecoverSigner,
): ProofChecker {
  const digests = forms.map((form) => ({ form, of: balanceProofDigest(form, domain, receiver) }))
  return {
    formOf: async ({ openBlock, balance, signature, sender }) =>
      digests.find(({ of }) => signedBy(sender, () => recover(of(openBlock, balance), signature)))
        ?.form,
  }
}

function signedBy(sender: Address, recover: () => Address): boolean {
  try {
    return recover() === sender
  } catch (error) {
    if (isUraidenError(error, 'unrecoverable_signature')) return false
    throw error
  }
}
