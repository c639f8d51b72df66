// `buyers` of receiver.yaml: what its owner calls the accounts that pay.
import { z } from 'zod'
import { address } from '../../../platform/config/index.ts'
import type { Address } from '../../../protocol/index.ts'

/** By account. */
export type BuyerNames = ReadonlyMap<Address, string>

const name = z.string().regex(/^[^\p{Cc}\p{Cf}]{1,64}$/u, {
  error: 'a name has 1 to 64 characters, on one line.',
})

export const buyersSchema = z
  .record(name, address)
  .superRefine((named, context) => {
    const seen = new Set<string>()
    for (const [each, account] of Object.entries(named)) {
      if (seen.has(account)) {
        const message = `${account} has two names.`
        context.addIssue({ code: 'custom', path: [each], message, params: { hint: leaveOne } })
      }
      seen.add(account)
    }
  })
  .default({})

const leaveOne = 'Leave one of them.'

export function buyerNames(buyers: z.output<typeof buyersSchema>): BuyerNames {
  return new Map(Object.entries(buyers).map(([each, account]) => [account, each]))
}
