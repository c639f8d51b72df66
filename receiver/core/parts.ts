// What runs is made of parts: each is started in order and stopped in the opposite one.

export interface StartedParts {
  /** `stop` is called when all is stopped: after the parts that were started later. */
  readonly started: (stop: () => Promise<void> | void) => void
  /** The last one first; all of them, whatever one says. Rejects with the first error. */
  readonly stop: () => Promise<void>
}

export function startedParts(): StartedParts {
  const stops: (() => Promise<void> | void)[] = []
  return {
    started: (stop) => void stops.push(stop),
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
