// How much may be owed on deposits that are not as deep as they should be, decided on plain data: a block that
// is taken back takes its deposits with it, and all that only they covered.
import {
  type ChainBlock,
  largest,
  maxTokenAmount,
  smallest,
  type TokenAmount,
} from '../../protocol/index.ts'
import { receiverError } from '../errors/index.ts'
import { depositAfter, type EarlierDeposit } from './deposits.ts'
import { balanceUnder } from './proofs.ts'
import type { Channel } from './records.ts'

export type Depth = number | 'finalised'

/** From this depth on. */
export interface ConfirmationStep {
  /** The deposit's block itself included. `finalised`: as deep as the chain takes back nothing any more. */
  readonly blocks: Depth
  /** What a channel may owe on it, in the token's smallest unit; undefined: all of it. */
  readonly mostOwed?: TokenAmount | undefined
}

export interface DepositLimits {
  /** In rising order. With the first a deposit begins to count, with the last it counts in full. */
  readonly steps: readonly ConfirmationStep[]
  /** What all channels of one sender may owe on deposits that have not reached the last step. */
  readonly mostPerSender?: TokenAmount | undefined
  /** The same of all channels. */
  readonly mostInAll?: TokenAmount | undefined
}

/** As far as the chain is remembered: see `historyDepth`. */
export const mostBlocksApart = 255

/** Why steps make no sense, as half a sentence; undefined when they do. */
export function problemOfSteps(
  steps: readonly { readonly blocks: Depth; readonly mostOwed?: unknown }[],
): string | undefined {
  const last = steps.at(-1)
  if (last === undefined) return 'there is no step'
  const depths = steps.map(({ blocks }) => blocks)
  const numbers = depths.filter((blocks) => blocks !== 'finalised')
  if (numbers.length < depths.length - 1 || depths.slice(0, -1).includes('finalised')) {
    return 'only the last step may be finalised'
  }
  if (numbers.length === 0) return 'the first step is a number of blocks'
  if (numbers.some((blocks, at) => blocks < 1 || blocks <= (numbers[at - 1] ?? 0))) {
    return 'each step needs more blocks than the one before'
  }
  if (last.mostOwed !== undefined)
    return 'the last step has no mostOwed: there all of a deposit counts'
  if ((numbers.at(-1) ?? 0) - (numbers[0] ?? 0) > mostBlocksApart) {
    return `the steps are more than ${mostBlocksApart} blocks apart`
  }
  return undefined
}

/** @throws UraidenError `confirmations_invalid` */
export function checkedSteps(steps: readonly ConfirmationStep[]): readonly ConfirmationStep[] {
  const problem = problemOfSteps(steps)
  if (problem === undefined) return steps
  throw receiverError({ code: 'confirmations_invalid', message: `confirmations: ${problem}.` })
}

/** A deposit counts, and counts in full, at this depth. */
export function confirmedAfter(blocks: number): DepositLimits {
  return { steps: [{ blocks }] }
}

/** A channel as it is confirmed at the first step. */
export interface CeilingCase {
  readonly channel: Channel
  readonly earlier: readonly EarlierDeposit[]
  /** The block that has reached the first step. */
  readonly position: ChainBlock
  /** The newest block that is final, as far as it is known. */
  readonly finalised?: ChainBlock | undefined
  readonly limits: DepositLimits
}

/** What the channel owes on deposits that have not reached the last step. */
export function owedEarly(given: CeilingCase): TokenAmount {
  const { channel, limits } = given
  const last = limits.steps.at(-1)
  if (last === undefined || channel.state === 'settled') return 0n
  const { deposit, safe } = sureAt(given, last)
  const { highest } = channel.claims
  return highest <= largest(deposit, safe) ? 0n : highest - safe
}

/**
 * The highest balance that a payment may have now. `room` is what the channel may owe early at most, with
 * regard to what others do.
 */
export function mostBalance(given: CeilingCase, room: TokenAmount): TokenAmount {
  const { steps } = given.limits
  let most: TokenAmount = maxTokenAmount
  for (const [at, { mostOwed }] of steps.entries()) {
    const next = steps[at + 1]
    if (next === undefined) continue
    const isLast = at + 2 === steps.length
    const owed = isLast ? smallest(room, mostOwed) : mostOwed
    if (owed !== undefined) most = smallest(most, coveredBy(given, next, owed))
  }
  return most
}

/** Up to what has reached the step everything is covered; above that so much may be owed. */
function coveredBy(given: CeilingCase, step: ConfirmationStep, owed: TokenAmount): TokenAmount {
  const { deposit, safe } = sureAt(given, step)
  return largest(deposit, safe + owed)
}

/** The newest block that has reached a step. */
function newestAt(
  { position, finalised = -1, limits: { steps } }: CeilingCase,
  { blocks }: ConfirmationStep,
): ChainBlock {
  if (blocks === 'finalised') return Math.min(finalised, position)
  return position - (blocks - firstDepth(steps, blocks))
}

/** With it a deposit begins to count. */
export function firstDepth(steps: readonly ConfirmationStep[], otherwise: number): number {
  const first = steps[0]?.blocks
  return typeof first === 'number' ? first : otherwise
}

/** The deposit that has reached a step, and what is got with it: the best proof under it. */
function sureAt(
  given: CeilingCase,
  step: ConfirmationStep,
): { readonly deposit: TokenAmount; readonly safe: TokenAmount } {
  const { channel, earlier } = given
  const deposit = depositAfter(earlier, newestAt(given, step), channel.deposit)
  return { deposit, safe: largest(channel.withdrawn, balanceUnder(channel, deposit)) }
}
