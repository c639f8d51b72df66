/**
 * For each key, work that may go on together and work that must be alone. First come, first served: who
 * waits to be alone is not overtaken by newcomers.
 */
export interface Locks {
  readonly together: <Value>(key: string, work: () => Promise<Value>) => Promise<Value>
  readonly alone: <Value>(key: string, work: () => Promise<Value>) => Promise<Value>
}

interface Lane {
  /** The last one that was alone, or waits to be. */
  lastAlone: Promise<unknown>
  /** Those together since then. */
  readonly together: Set<Promise<unknown>>
}

export function createLocks(): Locks {
  const lanes = new Map<string, Lane>()
  const laneOf = (key: string): Lane => {
    const lane = lanes.get(key) ?? { lastAlone: Promise.resolve(), together: new Set() }
    lanes.set(key, lane)
    return lane
  }
  return {
    together: (key, work) => {
      const lane = laneOf(key)
      const done = lane.lastAlone.then(work)
      const settled: Promise<unknown> = done.then(ignore, ignore).then(() => {
        lane.together.delete(settled)
      })
      lane.together.add(settled)
      return done
    },
    alone: (key, work) => {
      const lane = laneOf(key)
      const before = [lane.lastAlone, ...lane.together]
      const done = Promise.all(before).then(work)
      lane.lastAlone = done.then(ignore, ignore)
      return done
    },
  }
}

function ignore(): void {}
