// Questions for channels, few round trips for many: those that come in the same turn, or while another question is
// under way, share one. A statement costs the database ten times what a row in it does.

export interface Lookups<Name, Found> {
  /** As it is after this was called; undefined when it is not there. */
  readonly ask: (name: Name) => Promise<Found | undefined>
}

type Read<Name, Found> = (names: readonly Name[]) => Promise<ReadonlyMap<Name, Found>>

interface Asked<Found> {
  readonly found: Promise<Found | undefined>
  readonly settle: (found: Promise<Found | undefined>) => void
}

export function createLookups<Name, Found>(read: Read<Name, Found>): Lookups<Name, Found> {
  let next = new Map<Name, Asked<Found>>()
  let isAsking = false

  function askAll(): void {
    const asked = next
    next = new Map()
    isAsking = true
    const reading = read([...asked.keys()])
    for (const [name, { settle }] of asked) settle(reading.then((all) => all.get(name)))
    reading.then(goOn, goOn)
  }
  function goOn(): void {
    isAsking = false
    if (next.size > 0) askAll()
  }

  return {
    ask: (name) => {
      const before = next.get(name)
      if (before !== undefined) return before.found
      if (next.size === 0 && !isAsking) queueMicrotask(askAll)
      const asked = promised<Found>()
      next.set(name, asked)
      return asked.found
    },
  }
}

function promised<Found>(): Asked<Found> {
  let settle: Asked<Found>['settle'] = () => undefined
  const found = new Promise<Found | undefined>((resolve) => {
    settle = resolve
  })
  return { found, settle }
}
