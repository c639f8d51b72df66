// Signatures of senders and receivers for tests and benchmarks, from raw private keys.
import {
  type Address,
  balanceProofDigest,
  closingAgreementDigest,
  fromHex,
  type Signature,
  type SignatureDomain,
  type SignatureForm,
  signDigest,
} from '../../protocol/index.ts'

interface Signed {
  readonly domain: SignatureDomain
  readonly openBlock: number
  readonly balance: bigint
  readonly key: string
  readonly form?: SignatureForm
}

export function balanceProof(signed: Signed & { readonly receiver: Address }): Signature {
  const { domain, receiver, openBlock, balance, key, form = 'eip712' } = signed
  return signDigest(balanceProofDigest(form, domain, receiver)(openBlock, balance), fromHex(key))
}

export function closingAgreement(signed: Signed & { readonly sender: Address }): Signature {
  const { domain, sender, openBlock, balance, key, form = 'eip712' } = signed
  return signDigest(closingAgreementDigest(form, domain, sender)(openBlock, balance), fromHex(key))
}
