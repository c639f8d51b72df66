// A host of a fleet that is made up, and the time in which it is waited for.
import type { Facts } from '../../deploy/pi/fleet/hosts/facts.ts'
import type { HealthWait } from '../../deploy/pi/fleet/hosts/health.ts'
import type { Host } from '../../deploy/pi/fleet/hosts/host.ts'
import { parseAddress } from '../../protocol/index.ts'

/** Healthy with the versions in `good`; `log` is what was done to it. */
export function madeUpHost(facts: Partial<Facts>, good: readonly string[]) {
  const log: string[] = []
  let version = facts.version ?? '1.0.0'
  let looks = 0
  const host: Host = {
    name: 'kitchen',
    facts: async () => ({
      architecture: 'arm64',
      version,
      credentials: true,
      credential: true,
      password: false,
      key: true,
      enabled: true,
      active: true,
      config: '',
      kept: ['uraiden-agent_1.0.0_arm64.deb'],
      ...facts,
    }),
    install: async (file, _, how) => {
      version = file.version
      log.push(`install ${file.version} ${how}`)
    },
    keep: async (names) => void log.push(`keep ${names.join(' ')}`),
    start: async () => void log.push('start'),
    service: async () => {
      looks++
      return { active: true, restarts: good.includes(version) ? 0 : looks }
    },
    agent: async () => ({}),
    logs: async () => [],
    doctor: async () => [{ check: 'chain', verdict: 'ok', says: 'fine' }],
    makePassword: async () => undefined,
    makeKey: async () => undefined,
    importKey: async () => undefined,
    writeConfig: async () => undefined,
    address: async () => parseAddress('0x00000000000000000000000000000000000000A1'),
    reload: async () => undefined,
    disable: async () => undefined,
    purge: async () => undefined,
  }
  return { host, log }
}

/** Time passes only by waiting. */
export function waiting(timeout: number): HealthWait {
  let time = 0
  return {
    timeout,
    interval: 1000,
    now: () => time,
    sleep: async (milliseconds: number) => {
      time += milliseconds
    },
  }
}
