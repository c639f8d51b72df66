// Whether the receiver can do its work now, and if not, why: decided on plain data.

import type { ChainStatus, DiskStatus } from '../chain/health.ts'
import { leastEther } from '../paywall/outage.ts'

export interface ReadinessLimits {
  /** Longest time since the chain was read up to its head, in milliseconds. */
  readonly chainAge: number
  /** Least free space where the state is, in bytes. */
  readonly freeBytes: number
}

export const defaultReadinessLimits: ReadinessLimits = { chainAge: 60_000, freeBytes: 16 << 20 }

export interface Check {
  readonly name: 'state' | 'chain' | 'ether' | 'disk'
  readonly ok: boolean
  /** One sentence for a person. */
  readonly detail: string
}

export interface Readiness {
  readonly ready: boolean
  readonly checks: readonly Check[]
}

export interface ReadinessFacts {
  readonly chain: ChainStatus
  readonly disk: DiskStatus
}

/** Before the state is loaded there are no facts. */
export function decideReadiness(
  facts: ReadinessFacts | undefined,
  limits: ReadinessLimits,
): Readiness {
  const checks =
    facts === undefined
      ? [failed('state', 'The state is still being loaded.')]
      : [
          passed('state', 'loaded'),
          chainCheck(facts.chain, limits),
          etherCheck(facts.chain),
          diskCheck(facts.disk, limits),
        ]
  return { ready: checks.every(({ ok }) => ok), checks }
}

function chainCheck({ age, answers, head }: ChainStatus, { chainAge }: ReadinessLimits): Check {
  if (age === Number.POSITIVE_INFINITY) {
    return failed('chain', 'The chain was not read up to its head yet.')
  }
  const ago = `${Math.round(age / 1000)} s ago`
  if (age <= chainAge) return passed('chain', `block ${head}, read ${ago}`)
  const why = answers ? 'it is being read again' : 'the node does not answer, or is behind'
  return failed('chain', `The chain was read last ${ago}: ${why}.`)
}

function etherCheck({ ether }: ChainStatus): Check {
  if (ether === undefined) return failed('ether', 'The account was not looked at yet.')
  if (ether >= leastEther) return passed('ether', `${ether} wei`)
  return failed(
    'ether',
    `The account has ${ether} wei, less than ${leastEther}: no channel could be defended.`,
  )
}

function diskCheck(disk: DiskStatus, { freeBytes }: ReadinessLimits): Check {
  if (disk.kind === 'unwritable') return failed('disk', `A write failed: ${disk.why}`)
  const free = `${Math.floor(disk.freeBytes / 2 ** 20)} MB free`
  return disk.freeBytes >= freeBytes
    ? passed('disk', free)
    : failed('disk', `The state's disk is nearly full: ${free}.`)
}

function passed(name: Check['name'], detail: string): Check {
  return { name, ok: true, detail }
}

function failed(name: Check['name'], detail: string): Check {
  return { name, ok: false, detail }
}
