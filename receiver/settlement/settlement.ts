// Sees to it that the receiver gets what it has proofs for (wire-protocol.md section 6): answers
// dishonest closes, settles channels whose senders do not, withdraws when it is worth while.
import { cronTimetable } from '../../platform/config/schedule.ts'
import type { TokenAmount } from '../../protocol/index.ts'
import type { ChannelBook } from '../channels/book.ts'
import {
  createAnswers,
  type PendingAnswer,
  type SettlementContext,
  type SettlementLog,
} from './answers.ts'
import { type CollectParts, closeByReceiver } from './collect.ts'
import { type Collector, createCollector } from './collector.ts'
import { type Exposure, exposureOf } from './exposure.ts'
import type { AnswerFees } from './fees.ts'
import type { CollectPolicy } from './policy.ts'
import type { Reserve, ReserveStatus } from './reserve.ts'
import { createSettling } from './settling.ts'

export interface SettlementOptions {
  /** Withdraw without being asked, under these conditions. */
  readonly withdraw?: AutomaticWithdrawal | undefined
  /** What answers to dishonest closes may cost. */
  readonly fees?: AnswerFees | undefined
  /** Without `etherPrice`: channels that owe no more are not counted in the reserve for answers. */
  readonly leastDefended?: TokenAmount | undefined
}

export interface AutomaticWithdrawal extends CollectPolicy {
  /** When to look, as five cron fields; whenever the chain was read if left out. */
  readonly schedule?: string | undefined
}

export interface SettlementParts extends CollectParts, SettlementContext {
  readonly book: ChannelBook
  readonly refresh: () => Promise<void>
  /** What answers need in ether. */
  readonly reserve: Reserve
  readonly log?: SettlementLog | undefined
}

export interface SettlementStatus extends Exposure {
  /** Dishonest closes, and how their answers stand. */
  readonly answers: readonly PendingAnswer[]
  readonly reserve: ReserveStatus
}

export interface Settlement extends Pick<Collector, 'withdrawAll' | 'closeAll' | 'closeChannel'> {
  readonly status: () => SettlementStatus
}

/** To be driven by whoever reads the chain. */
export interface SettlementEngine extends Settlement {
  /** To be called whenever the chain was read. Never rejects; waits for no block. */
  readonly round: () => Promise<void>
  /** Resolves when nothing is under way any more: after the connection was closed, at once. */
  readonly stop: () => Promise<void>
}

export function createSettlement(
  parts: SettlementParts,
  { withdraw, fees = {} }: SettlementOptions,
): SettlementEngine {
  const { book, chain, transactions, signer, hasBatches, reserve, log } = parts
  const answers = createAnswers({
    ...parts,
    fees,
    delay: 0,
    answer: (channel) => closeByReceiver(parts, channel),
  })
  const settling = createSettling({
    ...parts,
    policy: withdraw ?? { least: 1n, mostGasPrice: fees.usual },
    canEnd: ({ claims, proof, end }) =>
      hasBatches || (proof !== undefined && claims.highest === end?.balance),
    end: async (channel) => {
      if (!hasBatches) return closeByReceiver(parts, channel)
      const { sender, openBlock } = channel
      return chain.calls.settleFor({ sender, receiver: signer.address, openBlock })
    },
  })
  const collector = createCollector(parts)
  const timetable = createTimetable(withdraw?.schedule)

  /** Ether that an answer needs is not spent on anything else. */
  function allAnswered(): boolean {
    return answers.pending().every(({ state }) => state !== undefined && state.kind !== 'waiting')
  }

  async function collectDue(): Promise<void> {
    const mayWithdraw =
      withdraw !== undefined && book.unsettled() >= withdraw.least && timetable.takeDue()
    if (!mayWithdraw && !settling.isDue()) return
    const gasPrice = await transactions.gasPrice()
    await settling.round(gasPrice)
    if (mayWithdraw) await collector.withdrawIfWorth(withdraw, gasPrice)
  }

  const whenAsked: CollectPolicy = { least: 1n, mostGasPrice: fees.usual }
  return {
    withdrawAll: (options) => collector.withdrawAll({ policy: whenAsked, ...options }),
    closeAll: (options) => collector.closeAll({ policy: whenAsked, ...options }),
    closeChannel: collector.closeChannel,
    status: () => ({
      ...exposureOf(book.all()),
      answers: answers.pending(),
      reserve: reserve.status(),
    }),
    round: async () => {
      await answers.round()
      if (!allAnswered()) return
      try {
        await collectDue()
      } catch (err) {
        log?.warn({ err }, 'what is due could not be looked at')
      }
    },
    stop: async () => {
      timetable.close()
      await Promise.all([answers.idle(), settling.idle(), collector.idle()])
    },
  }
}

/** When to look whether a withdrawal is worth while. Without timers: the chain is looked at often enough. */
interface Timetable {
  /** True once for each moment of the schedule that has come. */
  readonly takeDue: () => boolean
  readonly close: () => void
}

/** Without an expression it is always due. `now` is Unix time in milliseconds. */
export function createTimetable(
  expression: string | undefined,
  now: () => number = Date.now,
): Timetable {
  if (expression === undefined) return { takeDue: () => true, close: () => undefined }
  const { next, close } = cronTimetable(expression)
  let due = next()
  return {
    takeDue: () => {
      if (now() < due) return false
      due = next()
      return true
    },
    close,
  }
}
