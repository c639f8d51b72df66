// Is the agent on a host up, and can it pay?

import { isUraidenError, type UraidenError } from '../../../../protocol/index.ts'
import { toolError } from '../../../../scripts/lib/shared/errors.ts'
import type { Host, NamedFinding, ServiceState } from './host.ts'

export interface Health {
  /** What is not as it should be; none when it is healthy. */
  readonly problems: readonly string[]
  /** What a person should know, and what does not stop it. */
  readonly warnings: readonly string[]
}

export interface Looks {
  readonly service: ServiceState
  readonly findings: readonly NamedFinding[]
  /** Why the daemon does not answer; undefined when it does. */
  readonly silent: string | undefined
}

export function judgeHealth({ service, findings, silent }: Looks): Health {
  const saying = (wanted: NamedFinding['verdict']) =>
    findings
      .filter(({ verdict }) => verdict === wanted)
      .map(({ check, says }) => `${check}: ${says}`)
  return {
    problems: [
      ...(service.active ? [] : ['the service is not running']),
      ...(service.active && silent !== undefined ? [`the daemon does not answer: ${silent}`] : []),
      ...saying('failure'),
    ],
    warnings: saying('warning'),
  }
}

async function lookAt(host: Host): Promise<Looks> {
  const service = await host.service()
  const silent = await host.agent('status').then(() => undefined, reason)
  const findings = await host
    .doctor()
    .catch((error) => [{ check: 'doctor', verdict: 'failure', says: reason(error) } as const])
  return { service, findings, silent }
}

/** A host that cannot be reached is no matter of health. */
function reason(error: unknown): string {
  if (!isUraidenError(error) || error.code.startsWith('ssh_')) throw error
  return error.message
}

export interface HealthWait {
  /** Longest wait, in milliseconds. */
  readonly timeout: number
  /** Between two looks, in milliseconds. */
  readonly interval: number
  readonly now?: () => number
  readonly sleep?: (milliseconds: number) => Promise<unknown>
}

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))

/**
 * Healthy twice in a row without a restart between: what crashes after a second is not up.
 * Resolves with the last look, healthy or not.
 */
export async function waitForHealth(host: Host, wait: HealthWait): Promise<Health> {
  const { timeout, interval, now = () => performance.now(), sleep = pause } = wait
  const giveUp = now() + timeout
  let before: ServiceState | undefined
  for (;;) {
    const looks = await lookAt(host)
    const health = judgeHealth(looks)
    const well = health.problems.length === 0
    if (well && before?.restarts === looks.service.restarts) return health
    if (now() > giveUp) {
      return well ? { ...health, problems: ['the service starts again and again'] } : health
    }
    before = well ? looks.service : undefined
    await sleep(interval)
  }
}

export function unhealthy({ problems }: Health): UraidenError {
  return toolError({
    code: 'host_unhealthy',
    message: `It is not healthy: ${problems.join('; ')}`,
  })
}
