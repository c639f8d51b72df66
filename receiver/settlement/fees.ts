// What an answer may cost, on plain data. All fees are in wei for a unit of gas.
import { smallest } from '../../protocol/index.ts'

export interface AnswerFees {
  /** While there is time, wait for gas at this price. Default: the hard limit. */
  readonly usual?: bigint | undefined
  /** Never pay more, even if the channel is lost. Default: no limit. */
  readonly most?: bigint | undefined
}

/** The first half of the challenge period is for waiting, the second for paying what it costs. */
export function answerFeeCap(
  { usual, most }: AnswerFees,
  remaining: number,
  challengePeriod: number,
): bigint | undefined {
  const isUrgent = remaining * 2 <= challengePeriod
  if (isUrgent || usual === undefined) return most
  return smallest(usual, most)
}
