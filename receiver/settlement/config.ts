// `settlement` of receiver.yaml.

import { z } from 'zod'
import { amountText, gasPrice, parsed, share } from '../../platform/config/index.ts'
import { parseSchedule } from '../../platform/config/schedule.ts'
import { defined, parseAmount, type TokenUnit } from '../../protocol/index.ts'
import type { SettlementOptions } from './settlement.ts'

export const settlementSchema = z.strictObject({
  withdraw: z
    .strictObject({
      when: amountText.describe('withdraw once the channels owe so much in all'),
      schedule: parsed(parseSchedule)
        .optional()
        .describe("look only then: '0 4 * * *'; else whenever the chain was read"),
      mostGasPrice: gasPrice.optional().describe('wait while a unit of gas costs more: 30 gwei'),
      mostFeeShare: share
        .optional()
        .describe('leave what costs more of itself: 5%; needs etherPrice'),
      etherPrice: amountText.optional().describe('what one ether is worth in tokens: 2500 TKN'),
    })
    .refine(
      ({ mostFeeShare, etherPrice }) => mostFeeShare === undefined || etherPrice !== undefined,
      {
        error: 'fees are paid in ether: how much of the tokens they are needs "etherPrice".',
        path: ['etherPrice'],
      },
    )
    .optional()
    .describe('collect from open channels without being asked'),
  dispute: z
    .strictObject({
      mostGasPrice: gasPrice
        .optional()
        .describe('never pay more to answer a dishonest close, even if the channel is lost'),
      least: amountText
        .optional()
        .describe(
          'without etherPrice: what an answer is worth; channels that owe no more are not defended (0)',
        ),
      collectAbove: amountText
        .optional()
        .describe('withdraw from a channel that owes more, whatever withdraw says'),
    })
    .prefault({}),
})

/**
 * `usual` is the general `mostGasPrice`, in wei.
 * @throws UraidenError `wrong_token`, `too_many_decimals`
 */
export function settlementOptions(
  { withdraw, dispute }: z.output<typeof settlementSchema>,
  token: TokenUnit,
  usual: bigint | undefined,
): SettlementOptions {
  const fees = defined({ usual, most: dispute.mostGasPrice })
  const amount = (text: string | undefined) =>
    text === undefined ? undefined : parseAmount(text, token)
  const leastDefended = amount(dispute.least)
  const collectAbove = amount(dispute.collectAbove)
  const defence = { fees, ...defined({ leastDefended, collectAbove }) }
  if (withdraw === undefined) return defence
  const { when, schedule, mostGasPrice = usual, mostFeeShare, etherPrice } = withdraw
  return {
    ...defence,
    withdraw: {
      least: parseAmount(when, token),
      ...defined({
        schedule,
        mostGasPrice,
        mostFeeShare,
        etherPrice: amount(etherPrice),
      }),
    },
  }
}
