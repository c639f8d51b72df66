// What a killed receiver left on disk, read without it.
import type { SignatureDomain, TokenAmount } from '../../../protocol/index.ts'
import { claimedSum } from '../../../receiver/channels/claims.ts'
import { channelName, type PaymentLedger } from '../../../receiver/channels/records.ts'
import { openStore } from '../../../receiver/channels/store.ts'
import { isProofOf } from '../../support/best-proof.ts'
import type { Payer } from './payer.ts'

export interface DiskReport {
  readonly claimed: TokenAmount
  /** Served, but not claimed on disk. */
  readonly unproven: number
  readonly troubles: readonly string[]
}

export async function readDisk(
  folder: string,
  domain: SignatureDomain,
  payers: readonly Payer[],
): Promise<DiskReport> {
  const [first] = payers
  if (first === undefined) return { claimed: 0n, unproven: 0, troubles: [] }
  const store = await openStore(folder, { ...domain, account: first.channel.receiver })
  const { ledgers } = await store.load()
  await store.close()
  let claimed = 0n
  let unproven = 0
  const troubles: string[] = []
  for (const payer of payers) {
    const { sender, openBlock } = payer.channel
    const ledger = ledgers.get(channelName(sender, openBlock))
    claimed += ledger === undefined ? 0n : claimedSum(ledger.claims)
    for (const balance of payer.served) if (!isClaimed(ledger, balance)) unproven++
    if (ledger !== undefined && !isProven(ledger, payer)) {
      troubles.push(`the proof of channel ${openBlock} is not its sender's`)
    }
  }
  return { claimed, unproven, troubles }
}

function isClaimed(ledger: PaymentLedger | undefined, balance: TokenAmount): boolean {
  if (ledger === undefined || balance > ledger.claims.highest) return false
  return ledger.claims.unclaimed.every(({ from, to }) => balance <= from || to < balance)
}

function isProven({ claims, proof }: PaymentLedger, { channel }: Payer): boolean {
  if (proof === undefined) return claims.highest === 0n
  return isProofOf(claims.highest, proof, { domain: channel.domain, channel })
}
