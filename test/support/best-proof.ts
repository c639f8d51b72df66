// Whether what a receiver keeps proves a balance, by the protocol alone.
import {
  type ChannelId,
  isBalanceProof,
  isTickForm,
  isTickProof,
  type SignatureDomain,
} from '../../protocol/index.ts'
import { shownProof } from '../../receiver/channels/proofs.ts'
import type { BestProof } from '../../receiver/channels/records.ts'

export function isProofOf(
  balance: bigint,
  proof: BestProof,
  { domain, channel }: { readonly domain: SignatureDomain; readonly channel: ChannelId },
): boolean {
  const shown = shownProof(proof)
  return isTickForm(shown)
    ? isTickProof(domain, channel, { balance, proof: shown })
    : isBalanceProof({ domain, channel, balance, signature: shown })
}
