// Reads the machine's clocks.
import { existsSync, readFileSync } from 'node:fs'
import { uptime } from 'node:os'
import type { ClockReading } from './clock.ts'

/**
 * auto     the wall clock counts as synchronised while systemd-timesyncd says so
 * trusted  it always does: the machine has a real-time clock, or another time service keeps it
 */
export type ClockTrust = 'auto' | 'trusted'

/** systemd-timesyncd(8): made when the clock has been synchronised since the machine started. */
const synchronisedMarker = '/run/systemd/timesync/synchronized'

/** Linux, proc(5): a random UUID for each start. */
const bootIdFile = '/proc/sys/kernel/random/boot_id'

/** Where a service sees no more of /proc than processes: systemd.unit(5), `%b`. */
const bootIdVariable = 'URAIDEN_BOOT_ID'

/** What it reads, for tests. Milliseconds. */
export interface Machine {
  readonly wall: () => number
  /** Stands still while the machine sleeps, and costs no system call. */
  readonly monotonic: () => number
  readonly uptime: () => number
  readonly hasMarker: () => boolean
}

const thisMachine: Machine = {
  wall: () => Date.now(),
  monotonic: () => performance.now(),
  // Of a file: more than all the arithmetic of a payment.
  uptime: () => uptime() * 1000,
  hasMarker: () => existsSync(synchronisedMarker),
}

/** In milliseconds. A clock that is set by less is a drift. */
const asleep = 100

/**
 * Looks at uptime and marker once a second at most: a payment should not cost a system call more. Between two
 * looks time is what two clocks agree on. Where they do not, the machine has slept or its clock was set.
 */
export function machineClock(trust: ClockTrust, machine = thisMachine): () => ClockReading {
  const boot = readBootId(() => readFileSync(bootIdFile, 'utf8'), process.env)
  let looked: { wall: number; monotonic: number; uptime: number; synchronised: boolean } | undefined
  return () => {
    const wall = machine.wall()
    const monotonic = machine.monotonic()
    const passed = looked === undefined ? Number.POSITIVE_INFINITY : monotonic - looked.monotonic
    if (looked === undefined || passed >= 1000 || Math.abs(wall - looked.wall - passed) >= asleep) {
      const synchronised = trust === 'trusted' || machine.hasMarker()
      looked = { wall, monotonic, uptime: machine.uptime(), synchronised }
      return { wall, uptime: looked.uptime, boot, synchronised }
    }
    return { wall, uptime: looked.uptime + passed, boot, synchronised: looked.synchronised }
  }
}

/**
 * The same text from either source, as the store outlives both. Without one every start counts as another
 * start of the machine, which is the careful side.
 */
export function readBootId(
  readFile: () => string,
  { [bootIdVariable]: given = '' }: NodeJS.ProcessEnv,
): string {
  try {
    return readFile().trim()
  } catch {
    const [, ...parts] = /^(.{8})(.{4})(.{4})(.{4})(.{12})$/.exec(given) ?? []
    return parts.length > 0 ? parts.join('-') : `process ${process.pid} at ${Date.now()}`
  }
}
