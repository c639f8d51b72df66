// Sees to it that the receiver gets what it has proofs for (wire-protocol.md section 6): answers
// dishonest closes, settles channels whose senders do not, withdraws when it is worth while.
import type { Call, ChainClient } from '../../platform/chain/index.ts'
import { cronTimetable } from '../../platform/config/schedule.ts'
import type { TokenAmount } from '../../protocol/index.ts'
import type { ChannelBook } from '../channels/book.ts'
import { stopForAnswer } from '../channels/closing.ts'
import { provenBalance } from '../channels/proofs.ts'
import type { Channel } from '../channels/records.ts'
import {
  createAnswers,
  type PendingAnswer,
  type SettlementContext,
  type SettlementLog,
} from './answers.ts'
import { type CollectParts, closeByReceiver, closeTogether } from './collect.ts'
import { type CollectOptions, type Collector, createCollector } from './collector.ts'
import { createCreditCollecting } from './credit.ts'
import { type Exposure, exposureOf } from './exposure.ts'
import type { AnswerFees } from './fees.ts'
import type { CollectPolicy } from './policy.ts'
import type { Reserve, ReserveStatus } from './reserve.ts'
import { createSettling, type Settling } from './settling.ts'
import { urgentCollection } from './urgent.ts'

export interface SettlementOptions {
  /** Withdraw without being asked, under these conditions. */
  readonly withdraw?: AutomaticWithdrawal | undefined
  /** What answers to dishonest closes may cost. */
  readonly fees?: AnswerFees | undefined
  /** Without `etherPrice`: what an answer of its own is worth. Channels that owe no more are not defended. */
  readonly leastDefended?: TokenAmount | undefined
  /** Withdraw from a channel that owes more, whatever `withdraw` says. */
  readonly collectAbove?: TokenAmount | undefined
}

export interface AutomaticWithdrawal extends CollectPolicy {
  /** When to look, as five cron fields; whenever the chain was read if left out. */
  readonly schedule?: string | undefined
}

export interface SettlementParts extends CollectParts, SettlementContext {
  readonly chain: Pick<ChainClient, 'calls' | 'payoutCredit'>
  readonly book: ChannelBook
  readonly refresh: () => Promise<void>
  /** What answers need in ether. */
  readonly reserve: Reserve
  /** Of a unit of gas now, in wei; undefined while it is not known. */
  readonly gasPrice: () => bigint | undefined
  readonly log?: SettlementLog | undefined
}

export interface SettlementStatus extends Exposure {
  /** Dishonest closes, and how their answers stand. */
  readonly answers: readonly PendingAnswer[]
  readonly reserve: ReserveStatus
}

/** What a person says, beside or above the configuration. */
export interface AskedOptions
  extends CollectOptions,
    Pick<CollectPolicy, 'leastEach' | 'mostGasPrice' | 'nothingDue'> {}

export interface Settlement extends Pick<Collector, 'closeChannel'> {
  readonly withdrawAll: (options?: AskedOptions) => ReturnType<Collector['withdrawAll']>
  readonly closeAll: (options?: AskedOptions) => ReturnType<Collector['closeAll']>
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
  { withdraw, fees = {}, collectAbove }: SettlementOptions,
): SettlementEngine {
  const { book, transactions, signer, reserve, log } = parts
  // Once it is signed, the chain may take it whatever becomes of the close.
  const sealed = (call: Call, channels: readonly Channel[]): Call => ({
    ...call,
    onSigned: () => stopForAnswer(book, channels),
  })
  const answers = createAnswers({
    ...parts,
    fees,
    delay: 0,
    terms: () => {
      const terms = reserve.terms()
      return terms && { ...terms, now: parts.gasPrice() ?? terms.fee }
    },
    answer: async (channel) => sealed(await closeByReceiver(parts, channel), [channel]),
    answerTogether: async (channels) => sealed(await closeTogether(parts, channels), channels),
  })
  const policy = withdraw ?? { least: 1n, mostGasPrice: fees.usual }
  const credit = createCreditCollecting({ ...parts, own: signer.address, policy })
  const settling = settlingBy(parts, policy)
  const collector = createCollector(parts)
  const timetable = createTimetable(withdraw?.schedule)

  /** Ether that an answer needs is not spent on anything else. */
  function allAnswered(): boolean {
    const due = answers.pending().filter(({ plan }) => plan === 'answer')
    return due.every(({ state }) => state !== undefined && state.kind !== 'waiting')
  }

  async function collectDue(): Promise<void> {
    const urgent = urgentCollection({
      ...{ channels: book.asSeen(), limit: collectAbove, fees },
      ...{ isShort: reserve.status().isShort, terms: reserve.terms(), ether: parts.ether() },
    })
    const mayWithdraw =
      withdraw !== undefined && book.unsettled() >= withdraw.least && timetable.takeDue()
    const withdrawal = urgent ?? (mayWithdraw ? withdraw : undefined)
    const isCreditDue = await credit.isDue()
    if (withdrawal === undefined && !settling.isDue() && !isCreditDue) return
    const gasPrice = await transactions.gasPrice()
    if (withdrawal !== undefined) await collector.withdrawIfWorth(withdrawal, gasPrice)
    await settling.round(gasPrice)
    await credit.round(gasPrice)
  }

  return {
    withdrawAll: (options = {}) => collector.withdrawAll(asked(options, fees)),
    closeAll: (options = {}) => collector.closeAll(asked(options, fees)),
    closeChannel: collector.closeChannel,
    status: () => ({
      ...exposureOf(book),
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
      await Promise.all([answers.idle(), settling.idle(), collector.idle(), credit.idle()])
    },
  }
}

function settlingBy(parts: SettlementParts, policy: CollectPolicy): Settling {
  const { chain, signer, hasBatches } = parts
  return createSettling({
    ...parts,
    policy,
    canEnd: (channel) => hasBatches || provenBalance(channel) === channel.end?.balance,
    end: async (channel) => {
      if (!hasBatches) return closeByReceiver(parts, channel)
      const { sender, openBlock } = channel
      return chain.calls.settleFor({ sender, receiver: signer.address, openBlock })
    },
  })
}

function asked(
  { leastEach, mostGasPrice, nothingDue, ...options }: AskedOptions,
  { usual }: AnswerFees,
): CollectOptions {
  const least = nothingDue ? 0n : 1n
  const policy = { least, leastEach, mostGasPrice: mostGasPrice ?? usual, nothingDue }
  return { policy, ...options }
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
