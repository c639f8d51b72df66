// What runs is made of parts: each is started in order and stopped in the opposite one.

/** Something that runs until it is stopped. */
interface Part {
  readonly stop: () => Promise<void>
}

export interface StartedParts extends Part {
  /** `stop` is called when all is stopped: after the parts that were started later. */
  readonly started: (stop: () => Promise<void> | void) => void
  /** Returns the part, which is from now on stopped with the others. */
  readonly add: <Started extends Part>(part: Started) => Started
  /** The last one first; all of them, whatever one says. Rejects with the first error. */
  readonly stop: () => Promise<void>
}

/**
 * Starts what is made of parts. When one of them cannot start, those before it are stopped again, and what
 * kept it from starting is the error, whatever stopping says.
 */
export async function startTogether<Whole extends object>(
  start: (parts: StartedParts) => Promise<Whole>,
): Promise<Whole & Pick<StartedParts, 'stop'>> {
  const parts = startedParts()
  try {
    return { ...(await start(parts)), stop: parts.stop }
  } catch (error) {
    await parts.stop().catch(() => undefined)
    throw error
  }
}

export function startedParts(): StartedParts {
  const stops: (() => Promise<void> | void)[] = []
  return {
    started: (stop) => void stops.push(stop),
    add: (part) => {
      stops.push(part.stop)
      return part
    },
    stop: async () => {
      const errors: unknown[] = []
      for (let stop = stops.pop(); stop !== undefined; stop = stops.pop()) {
        try {
          await stop()
        } catch (error) {
          errors.push(error)
        }
      }
      if (errors.length > 0) throw errors[0]
    },
  }
}
