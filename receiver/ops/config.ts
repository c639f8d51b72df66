// The part `ops:` of the receiver's configuration.
import { z } from 'zod'
import { listenAddress } from '../../platform/config/index.ts'
import { defaultReadinessLimits } from './readiness.ts'

/** Health is for load balancers and systemd, metrics for Prometheus. Neither costs anything. */
export const opsSchema = z.strictObject({
  /** An address of their own, such as 127.0.0.1:9402; without it they are on the receiver's own. */
  listen: listenAddress.optional(),
  /** `/healthz` and `/readyz`. */
  health: z.boolean().default(true),
  /** `/metrics`. They tell what is earned: by default only where `listen` gives them a place. */
  metrics: z.boolean().optional(),
  /** Not ready when the chain was read longer ago, in seconds. */
  chainAge: z
    .number()
    .positive()
    .default(defaultReadinessLimits.chainAge / 1000),
  /** Not ready with less free space for the state, in megabytes. */
  freeSpace: z
    .number()
    .nonnegative()
    .default(defaultReadinessLimits.freeBytes / 2 ** 20),
})

export type OpsConfig = z.output<typeof opsSchema>
