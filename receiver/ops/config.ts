// The part `ops:` of the receiver's configuration.
import { z } from 'zod'
import { listenAddress, seconds } from '../../platform/config/index.ts'
import { defaultReadinessLimits } from './readiness.ts'

/** Health is for load balancers and systemd, metrics for Prometheus. Neither costs anything. */
export const opsSchema = z.strictObject({
  listen: listenAddress
    .optional()
    .describe('an address of their own, such as 127.0.0.1:9403; else the receiver’s'),
  health: z.boolean().default(true).describe('/healthz and /readyz'),
  // They tell what is earned.
  metrics: z.boolean().optional().describe('/metrics; by default only where listen is set'),
  chainAge: seconds(0.001, 366 * 86_400)
    .default(defaultReadinessLimits.chainAge / 1000)
    .describe('seconds since the chain was read, until it is not ready'),
  freeSpace: z
    .number()
    .nonnegative()
    .default(defaultReadinessLimits.freeBytes / 2 ** 20)
    .describe('megabytes left for the state, below which it is not ready'),
})

export type OpsConfig = z.output<typeof opsSchema>
