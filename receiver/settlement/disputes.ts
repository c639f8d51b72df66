// Which dishonest closes are answered now, and how, decided on plain data. A sender that closes channels
// with dust in them must neither hold up the answer to a large one nor make the receiver pay more in fees
// than it gets.
import { compareBigints } from '../../protocol/index.ts'
import type { DishonestClose } from './exposure.ts'
import { type GasModel, singleGas, tickGas } from './policy.ts'
import { batchGas, isWorthAnswer, isWorthGas, mostSingle, type ReserveTerms } from './reserve.ts'

export interface AnswerTerms extends ReserveTerms {
  /** What a unit of gas costs now, in wei; `fee` is what it may come to cost. */
  readonly now: bigint
}

export interface AnswerPlan {
  /** A transaction each, in this order. */
  readonly single: readonly DishonestClose[]
  /** One transaction for all of them, after those. What finds no place is for the next. */
  readonly batch: readonly DishonestClose[]
  /** Too small for an answer of their own: for a later batch, with others that share the fee. */
  readonly waiting: readonly DishonestClose[]
  /** Their time has come, and at what gas costs now they are not worth their share. */
  readonly letGo: readonly DishonestClose[]
}

export interface AnswerCase {
  /** In the order of urgency, without those that are under way. */
  readonly closes: readonly DishonestClose[]
  readonly terms: AnswerTerms
  /** Of the contract, in blocks. */
  readonly challengePeriod: number
  /** A batch has passed over this one: it goes alone or not at all. */
  readonly alone: (close: DishonestClose) => boolean
}

export function planAnswers({ closes, terms, challengePeriod, alone }: AnswerCase): AnswerPlan {
  const mayJoin = (close: DishonestClose) => terms.hasBatches && !alone(close)
  const isLarge = (close: DishonestClose) => isWorthAnswer(close, terms)
  const large = closes.filter(isLarge)
  const joining = large.filter(mayJoin)
  const isMany = joining.length > mostSingle
  const { mostChannels } = batchGas
  const together = isMany ? joining.slice(0, mostChannels) : []
  const single = isMany ? large.filter((close) => !mayJoin(close)) : large

  const small = closes.filter((close) => !isLarge(close))
  const isDue = ({ remaining }: DishonestClose) => isTimeForSmall(remaining, challengePeriod)
  const worth = small.some(isDue)
    ? worthTheirShare(
        small.filter((close) => mayJoin(close) || !terms.hasBatches),
        terms,
        isMany,
      )
    : []
  const [shared, own] = terms.hasBatches ? [worth, []] : [[], worth]
  return {
    single: [...single, ...own],
    batch: [...together, ...shared].slice(0, mostChannels),
    waiting: [
      ...shared.slice(mostChannels - together.length),
      ...small.filter((close) => !worth.includes(close) && !isDue(close)),
    ],
    letGo: small.filter((close) => !worth.includes(close) && isDue(close)),
  }
}

/**
 * After three eighths of the challenge period: the batch lands before half of it, when a watchtower with its
 * usual patience would begin.
 */
function isTimeForSmall(remaining: number, challengePeriod: number): boolean {
  return remaining * 8 <= challengePeriod * 5
}

/** The largest first, as many as pay for themselves at what gas costs now. */
function worthTheirShare(
  small: readonly DishonestClose[],
  terms: AnswerTerms,
  transactionIsPaid: boolean,
): readonly DishonestClose[] {
  const model: GasModel = terms.hasBatches ? batchGas : singleGas
  const isWorth = (stake: bigint, gas: bigint) =>
    isWorthGas(stake, gas, { ...terms, fee: terms.now })
  const own = terms.hasBatches ? model.perChannel : model.perTransaction
  const rich = small
    .filter(({ stake, channel }) => isWorth(stake, own + tickGas(channel)))
    .sort((a, b) => compareBigints(b.stake, a.stake))
  if (transactionIsPaid || !terms.hasBatches) return rich
  let count = rich.length
  let sum = rich.reduce((all, { stake }) => all + stake, 0n)
  let ticks = rich.reduce((all, { channel }) => all + tickGas(channel), 0n)
  const gasOf = () => model.perTransaction + BigInt(count) * model.perChannel + ticks
  while (count > 0 && !isWorth(sum, gasOf())) {
    const last = rich[--count]
    sum -= last?.stake ?? 0n
    ticks -= last === undefined ? 0n : tickGas(last.channel)
  }
  return rich.slice(0, count)
}
