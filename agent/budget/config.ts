// Caps as a person writes them.
import { z } from 'zod'
import { amountText, count, etherAmount } from '../../platform/config/index.ts'

export const windowCaps = {
  hour: amountText.optional().describe('in 60 minutes'),
  day: amountText.optional(),
  month: amountText.optional(),
  total: amountText.optional().describe('for ever'),
}

const openingCount = count.min(0).transform(BigInt).optional()
const openingCaps = z.strictObject({
  hour: openingCount,
  day: openingCount,
  month: openingCount,
  total: openingCount,
})

/** One amount, or one for each of several tokens: `[1 TKN, 1 USDC]`. */
export const amounts = z.union([amountText, z.array(amountText).min(1)])

/** The same windows where several tokens are paid with. */
export const severalCaps = {
  hour: amounts.optional().describe('in 60 minutes'),
  day: amounts.optional().describe('an amount, or a list with one for each token'),
  month: amounts.optional(),
  total: amounts.optional().describe('for ever'),
}

/** What transactions may cost. */
export const transactionCaps = {
  ether: z
    .strictObject({
      hour: etherAmount.optional(),
      day: etherAmount.optional().describe('default 0.1 ETH'),
      month: etherAmount.optional(),
      total: etherAmount.optional(),
    })
    .optional()
    .describe('fees of transactions'),
  openings: openingCaps.optional().describe('channels that purchases open; default 50 a day'),
  openingsPerReceiver: openingCaps
    .optional()
    .describe('the same for one receiver; default 10 a day'),
}
