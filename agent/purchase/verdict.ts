// After a 402 to a payment: what it means, and what that does to the books.
import type { ProofMaker, Terms, TokenUnit } from '../../protocol/index.ts'
import type { ChannelFunding, UnseenChannels } from '../channels/funding.ts'
import type { Ledger } from '../channels/ledger-types.ts'
import { channelDisowned, cheated, proofRefused, unproven } from './errors.ts'
import { judgeRefusal, type Verdict } from './judge.ts'
import type { Attempt } from './types.ts'

export interface VerdictOptions {
  readonly ledger: Ledger
  readonly funding: ChannelFunding
  readonly unseen: UnseenChannels
  readonly proofs: ProofMaker
  readonly token: TokenUnit
}

export interface Verdicts {
  /** A receiver that does not ask to wait has seen the channel. */
  readonly judge: (attempt: Attempt, answer: Terms) => Verdict
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
  const { ledger, funding, unseen, proofs } = options
  const isProven = ({ taken }: Attempt, answer: Terms): boolean =>
    proofs.isOwn(ledger.get(taken.channel), answer)
  return {
    judge: (attempt, answer) => {
      const { taken, payment, previous } = attempt
      const verdict = judgeRefusal({
        sent: payment,
        source: taken.source,
        previous,
        unseen: unseen.get(taken.channel),
        answer,
        proven: isProven(attempt, answer),
      })
      if (verdict.kind !== 'wait') unseen.delete(taken.channel)
      return verdict
    },
    isGone: async ({ taken: { channel } }, { reason }) => {
      if (reason !== 'nonexisting_channel' || (await funding.isStillOpen(channel))) return false
      unseen.delete(channel)
      return true
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
