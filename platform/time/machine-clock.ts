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

/** Looks at the marker once a second at most: a payment should not cost a system call more. */
export function machineClock(trust: ClockTrust): () => ClockReading {
  const boot = readBootId(() => readFileSync(bootIdFile, 'utf8'), process.env)
  let looked = Number.NEGATIVE_INFINITY
  let synchronised = trust === 'trusted'
  return () => {
    const up = uptime() * 1000
    if (trust === 'auto' && up - looked >= 1000) {
      looked = up
      synchronised = existsSync(synchronisedMarker)
    }
    return { wall: Date.now(), uptime: up, boot, synchronised }
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
