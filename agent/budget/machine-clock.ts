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

/** Looks at the marker once a second at most: a payment should not cost a system call more. */
export function machineClock(trust: ClockTrust): () => ClockReading {
  const boot = readBootId()
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

/** Without one every start counts as another start of the machine, which is the careful side. */
function readBootId(): string {
  try {
    return readFileSync(bootIdFile, 'utf8').trim()
  } catch {
    return `process ${process.pid} at ${Date.now()}`
  }
}
