// Work that is done again and again while a process shares a state.

export interface Rounds {
  /** Begins nothing new; resolves when what is under way is over. */
  readonly stop: () => Promise<void>
}

export interface RoundOptions {
  /** Milliseconds from the end of one to the beginning of the next. */
  readonly interval: number
  readonly onError: (error: unknown) => void
}

/** The first one begins at once. */
export function repeat(work: () => Promise<void>, { interval, onError }: RoundOptions): Rounds {
  let stopped = false
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> = Promise.resolve()
  const round = () => {
    running = work()
      .catch(onError)
      .then(() => {
        if (!stopped) timer = setTimeout(round, interval)
      })
  }
  round()
  return {
    stop: async () => {
      stopped = true
      clearTimeout(timer)
      await running
    },
  }
}
