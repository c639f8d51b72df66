// What a time zone's clocks show, and when they are set.
import type { Milliseconds } from './clock.ts'

/** A clock on the wall, read as if it were UTC: Unix time plus the zone's offset. */
export type WallTime = Milliseconds

/** Clocks are set: `at` is the first moment of the offset `to`. */
export interface ClockChange {
  readonly at: Milliseconds
  readonly from: Milliseconds
  readonly to: Milliseconds
}

export interface Zone {
  /** Of the wall's clock from UTC. */
  readonly offset: (time: Milliseconds) => Milliseconds
  /** The change in the time after `begin` up to `end`, at most a day or two: no zone has two in them. */
  readonly change: (begin: Milliseconds, end: Milliseconds) => ClockChange | undefined
}

/**
 * `name` is an IANA name; the machine's own zone when not given. Only another one than that and UTC is looked up
 * in ICU's data, which take megabytes of memory.
 * @throws RangeError for a time zone that does not exist
 */
export function timeZone(name?: string): Zone {
  const offset = name === undefined ? ownOffset : name === 'UTC' ? () => 0 : offsetIn(name)
  return {
    offset,
    change: (begin, end) => {
      const [from, to] = [offset(begin), offset(end)]
      if (from === to) return undefined
      let [before, at] = [begin, end]
      while (at - before > 1) {
        const middle = Math.floor((before + at) / 2)
        if (offset(middle) === from) before = middle
        else at = middle
      }
      return { at, from, to }
    },
  }
}

/** Of the machine, whose zone is what it was when the process began. */
function ownOffset(time: Milliseconds): Milliseconds {
  return -new Date(time).getTimezoneOffset() * 60_000
}

function offsetIn(name: string): (time: Milliseconds) => Milliseconds {
  // Swedish writes dates as ISO 8601 does.
  const format = new Intl.DateTimeFormat('sv-SE', {
    timeZone: name,
    hourCycle: 'h23',
    ...{ year: 'numeric', month: '2-digit', day: '2-digit' },
    ...{ hour: '2-digit', minute: '2-digit', second: '2-digit' },
  })
  return (time) => {
    const second = Math.floor(time / 1000) * 1000
    return Date.parse(`${format.format(second).replace(' ', 'T')}Z`) - second
  }
}
