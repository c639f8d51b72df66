// After a 402 to a payment: what it means, and what that does to the books.
import type { ProofMaker, Terms, TokenUnit } from '../../protocol/index.ts'
import type { ChannelFunding } from '../channels/funding.ts'
import type { Ledger } from '../channels/ledger-types.ts'
import { channelDisowned, cheated, proofRefused, unproven } from './errors.ts'
import { judgeRefusal, type Verdict } from './judge.ts'
import type { Attempt } from './types.ts'

export interface VerdictOptions {
  readonly ledger: Ledger
  readonly funding: ChannelFunding
  readonly proofs: ProofMaker
  readonly token: TokenUnit
}

export interface Verdicts {
  readonly judge: (attempt: Attempt, answer: Terms) => Promise<Verdict>
  /** The chain may have taken our opening back, or the receiver may have closed the channel meanwhile. */
  readonly isGone: (attempt: Attempt, answer: Terms) => Promise<boolean>
  /** Of a payment beside others, all that can be said of it. */
  readonly besideOthers: (attempt: Attempt, answer: Terms) => void
  /**
   * Puts the books right for the next payment, or gives up.
   * @throws UraidenError those of `errors.ts`
   */
  readonly follow: (attempt: Attempt, answer: Terms, verdict: Verdict) => Promise<void>
}

export function createVerdicts(options: VerdictOptions): Verdicts {
  const { ledger, funding, proofs } = options
  const isProven = ({ taken }: Attempt, answer: Terms): boolean =>
    proofs.isOwn(ledger.get(taken.channel), answer)
  return {
    judge: async (attempt, answer) => {
      const { taken, payment } = attempt
      const { channel } = taken
      const asksToWait = answer.reason === 'insufficient_confirmations'
      const { mayBeOld, unseen = [] } = asksToWait
        ? ledger.get(channel)
        : await funding.withUnseen(channel)
      return judgeRefusal({
        sent: payment,
        source: taken.source,
        from: taken.interval.from,
        unseen,
        mayBeOld,
        answer,
        proven: isProven(attempt, answer),
      })
    },
    isGone: async ({ taken: { channel } }, { reason }) => {
      return reason === 'nonexisting_channel' && !(await funding.isStillOpen(channel))
    },
    besideOthers: (attempt, answer) => {
      const { taken, payment, terms } = attempt
      const stands = answer.senderBalance
      // A receiver that shows an older proof of ours, or says so in a signed answer, has not taken this one.
      const told = attempt.bound !== undefined || isProven(attempt, answer)
      const untaken = told && stands !== undefined && stands <= payment.balance - terms.price
      if (untaken) ledger.settle(taken, 0n)
      else ledger.leaveInDoubt(taken)
    },
    follow: (attempt, answer, verdict) => follow(options, { attempt, answer, verdict }),
  }
}

interface Judged {
  readonly attempt: Attempt
  readonly answer: Terms
  readonly verdict: Verdict
}

async function follow(
  { ledger, funding, token }: VerdictOptions,
  { attempt, answer, verdict }: Judged,
): Promise<void> {
  const { taken, payment } = attempt
  const { channel } = taken
  const stillOpen = async (): Promise<boolean> => {
    try {
      return await funding.isStillOpen(channel)
    } catch (error) {
      ledger.leaveInDoubt(taken)
      throw error
    }
  }
  switch (verdict.kind) {
    case 'correct':
      return ledger.correct(channel, verdict.balance)
    case 'oldBooks':
      await ledger.correct(channel, verdict.balance)
      return ledger.excuse(channel)
    case 'spentBefore':
      return
    case 'assumeWorst':
      return ledger.assumeWorst(channel)
    case 'channelGone':
      if (!(await stillOpen())) return
      ledger.leaveInDoubt(taken)
      ledger.refused(channel)
      throw channelDisowned(answer.receiver)
    case 'cheated':
      ledger.refused(channel)
      throw cheated(answer.receiver, payment.balance, token)
    case 'unproven':
      ledger.leaveInDoubt(taken)
      throw unproven(answer.receiver, answer.senderBalance)
    case 'wait':
    case 'proofRefused':
      ledger.leaveInDoubt(taken)
      ledger.refused(channel)
      throw proofRefused(answer.receiver)
  }
}
