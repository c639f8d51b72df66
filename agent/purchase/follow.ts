// After a 402: what it means, and what to do before the next try.
import type { Terms } from '../../protocol/index.ts'
import { channelDisowned, cheated, proofRefused, unproven } from './errors.ts'
import { type HookName, runHook } from './hooks.ts'
import { judgeRefusal, type Verdict } from './judge.ts'
import type { Attempt, ExchangeParts, PaidRequest } from './types.ts'

export function judge(parts: ExchangeParts, attempt: Attempt, answer: Terms): Verdict {
  const { ledger, funding, proofs } = parts
  const { taken, payment, previous } = attempt
  return judgeRefusal({
    sent: payment,
    source: taken.source,
    previous,
    unseen: funding.unseen(taken.channel),
    answer,
    proven: proofs.isOwn(ledger.get(taken.channel), answer),
  })
}

/**
 * Puts the books right for the next try, or gives up.
 * @throws UraidenError those of `errors.ts`, `stopped_by_hook`
 */
export async function follow(
  parts: ExchangeParts,
  request: PaidRequest,
  attempt: Attempt,
  terms: Terms,
  verdict: Verdict,
): Promise<void> {
  const { ledger, funding, hooks, token } = parts
  const { taken, payment } = attempt
  const { channel } = taken
  try {
    const hook = hookFor(terms)
    if (hook !== undefined) await runHook(hooks, hook, request, { terms, channel })
  } catch (error) {
    ledger.leaveInDoubt(taken)
    throw error
  }
  switch (verdict.kind) {
    case 'correct':
      return ledger.correct(channel, verdict.balance)
    case 'spentBefore':
      return
    case 'assumeWorst':
      return ledger.assumeWorst(channel)
    case 'channelGone':
      if (await funding.isStillOpen(channel)) throw channelDisowned(terms.receiver)
      return
    case 'cheated':
      throw cheated(terms.receiver, payment.balance, token)
    case 'unproven':
      ledger.leaveInDoubt(taken)
      throw unproven(terms.receiver, terms.senderBalance)
    case 'wait':
    case 'proofRefused':
      ledger.leaveInDoubt(taken)
      throw proofRefused(terms.receiver)
  }
}

type RefusalHook = HookName & ('invalidAmount' | 'invalidProof' | 'nonexistingChannel')

function hookFor({ reason }: Terms): RefusalHook | undefined {
  switch (reason) {
    case 'invalid_amount':
      return 'invalidAmount'
    case 'invalid_balance_proof':
      return 'invalidProof'
    case 'nonexisting_channel':
      return 'nonexistingChannel'
    default:
      return undefined
  }
}
