// `alerts` of agent.yaml: what its owner is told, and where.
import { z } from 'zod'
import { amountText, count, etherAmount, share, size } from '../../platform/config/index.ts'
import { sinkSchema } from '../jobs/sinks/schema.ts'

const off = z.literal(false)

export const alertsSchema = z.strictObject({
  sinks: z.array(sinkSchema).min(1, { error: 'alerts without a sink are told to nobody.' }),
  jobFailing: z
    .union([off, count.min(1).max(1_000_000)])
    .default(10)
    .describe('failures in a row'),
  budget: z.union([off, share]).default(9000n).describe('so much of any budget is spent: 90%'),
  receivers: z
    .boolean()
    .default(true)
    .describe('a receiver is another one, or does not give what was paid'),
  disk: z.union([off, size]).default(100_000_000).describe('less is free where the state is'),
  ether: etherAmount.optional().describe('the account has less: 0.01 ETH'),
  tokens: amountText.optional().describe('the account has less'),
})
