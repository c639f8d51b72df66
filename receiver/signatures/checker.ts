// Who signed a balance proof, in which of the two forms.
import {
  type Address,
  balanceProofDigest,
  fromHex,
  type Payment,
  type SignatureDomain,
  type SignatureForm,
} from '../../protocol/index.ts'
import {
  isSignedBy,
  keyOfSigner,
  type Recovery,
  recoveryIdOf,
  type SignedDigest,
} from './recovery.ts'

/** What of a payment its signature is about. */
export type SignedPayment = Pick<Payment, 'openBlock' | 'balance' | 'signature' | 'sender'>

/** The same as bytes. */
export interface Job {
  readonly openBlock: number
  readonly balance: bigint
  readonly signature: Uint8Array
  readonly sender: Uint8Array
}

export interface ProofChecker {
  /** The form in which the payment's sender signed it; undefined when it did not. */
  readonly formOf: (payment: SignedPayment) => Promise<SignatureForm | undefined>
}

/** What all proofs to one receiver have in common. */
export interface ProofContext {
  readonly domain: SignatureDomain
  readonly receiver: Address
  /** In the order in which they are tried. */
  readonly forms: readonly SignatureForm[]
}

export type CheckJob = (job: Job) => SignatureForm | undefined

export function createCheck({ domain, receiver, forms }: ProofContext, by: Recovery): CheckJob {
  const digests = forms.map((form) => ({
    form,
    of: balanceProofDigest(form, domain, receiver, by.keccak),
  }))
  const isSenders = createSenderCheck(by)
  return ({ openBlock, balance, signature, sender }) =>
    digests.find(({ of }) => isSenders(sender, { digest: of(openBlock, balance), signature }))?.form
}

/** Keys in the memory of one thread: 1 MB. */
const mostKeys = 8192

/** Recovers a sender's key once, and verifies with it from then on where the library is faster so. */
export function createSenderCheck(
  by: Recovery,
  most = mostKeys,
): (sender: Uint8Array, signed: SignedDigest) => boolean {
  const { verifyKey } = by
  if (verifyKey === undefined) return (sender, signed) => isSignedBy(by, sender, signed)
  const keys = new Map<string, Uint8Array>()
  return (sender, signed) => {
    const name = String.fromCharCode(...sender)
    const known = keys.get(name)
    if (known !== undefined) {
      const { digest, signature } = signed
      return verifyKey(digest, signature.subarray(0, 64), recoveryIdOf(signature), known)
    }
    const key = keyOfSigner(by, sender, signed)
    if (key === undefined) return false
    const [oldest] = keys.keys()
    if (keys.size >= most && oldest !== undefined) keys.delete(oldest)
    keys.set(name, key)
    return true
  }
}

/** Checks on the calling thread. */
export function createProofChecker(context: ProofContext, by: Recovery): ProofChecker {
  const check = createCheck(context, by)
  return {
    formOf: async ({ openBlock, balance, signature, sender }) =>
      check({ openBlock, balance, signature: fromHex(signature), sender: fromHex(sender) }),
  }
}
