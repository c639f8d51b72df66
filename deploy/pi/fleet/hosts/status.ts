// What a host's agent says of itself.
import { z } from 'zod'
import { formatAmount, isUraidenError, largest } from '../../../../protocol/index.ts'
import { judgeHealth } from './health.ts'
import type { Host } from './host.ts'

const amount = z.string().regex(/^\d+$/).transform(BigInt)

/** What of `uraiden-agent status --json` is read here. */
const daemonSchema = z.object({
  address: z.string(),
  waiting: z.object({ message: z.string() }).optional(),
  paused: z.boolean(),
  token: z.object({ symbol: z.string(), decimals: z.number() }).optional(),
  channels: z.array(z.object({ state: z.string(), deposit: amount, balance: amount })),
  budget: z
    .object({
      limits: z.array(
        z.object({ scope: z.string(), window: z.string(), cap: amount, used: amount }),
      ),
    })
    .optional(),
  counters: z.object({ payments: z.number(), refusals: z.number(), failures: z.number() }),
  troubles: z.array(z.object({ time: z.number(), message: z.string() })),
})

type Daemon = z.output<typeof daemonSchema>

export interface HostStatus {
  readonly version: string | undefined
  readonly address: string | undefined
  /** None when it is well. */
  readonly problems: readonly string[]
  readonly warnings: readonly string[]
  readonly paused: boolean
  /** What is left of each budget, such as `1 TKN day`. */
  readonly left: readonly string[]
  readonly channels: readonly string[]
  readonly payments: number
  readonly lastError: string | undefined
}

export async function statusOf(host: Host): Promise<HostStatus> {
  const { version } = await host.facts()
  if (version === undefined) return { ...nothing, version, problems: ['not installed'] }
  const service = await host.service()
  const said = await host.agent('status').catch((error: unknown) => {
    if (!isUraidenError(error) || error.code.startsWith('ssh_')) throw error
    return error
  })
  const silent = isUraidenError(said) ? said.message : undefined
  const daemon = silent === undefined ? daemonSchema.parse(said) : undefined
  const findings = await host.doctor().catch(() => [])
  return { ...hostStatus(daemon), version, ...judgeHealth({ service, findings, silent }) }
}

const nothing: HostStatus = {
  version: undefined,
  address: undefined,
  problems: [],
  warnings: [],
  paused: false,
  left: [],
  channels: [],
  payments: 0,
  lastError: undefined,
}

/** The daemon's part of it. */
function hostStatus(daemon: Daemon | undefined): HostStatus {
  if (daemon === undefined) return nothing
  const { token, channels, budget, counters, troubles, address, paused } = daemon
  const money = (units: bigint) => (token ? formatAmount(units, token) : `${units} units`)
  return {
    ...nothing,
    address,
    paused,
    left: (budget?.limits ?? []).map(({ scope, window, cap, used }) => {
      const left = money(largest(cap - used, 0n))
      return scope === 'all' ? `${left} ${window}` : `${left} ${window} ${scope}`
    }),
    channels: channels
      .filter(({ state }) => state !== 'closed')
      .map(({ state, deposit, balance }) => `${state} ${money(balance)} of ${money(deposit)}`),
    payments: counters.payments,
    lastError: troubles.at(-1)?.message,
  }
}
