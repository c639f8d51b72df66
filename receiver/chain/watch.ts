// Runs the synchronisation in the background and knows how well the node does, so that no request
// has to ask the chain.
import { isUraidenError, UraidenError } from '../../protocol/index.ts'
import { type SyncOptions, type SyncOutcome, syncOnce } from './sync.ts'

export interface WatchOptions extends SyncOptions {
  /** Between two rounds, in milliseconds. */
  readonly interval: number
  /** Does what else has to be looked at in each round. */
  readonly afterSync: () => Promise<void>
  readonly onOutcome: (outcome: SyncOutcome) => void
  readonly onError: (error: unknown) => void
  /** Milliseconds that only grow; the process's own by default. */
  readonly now?: () => number
}

export interface ChainWatch {
  /** Resolves once the chain was read up to its head for the first time. */
  readonly synced: Promise<void>
  /** Milliseconds since the last round that went well; Infinity before the first. */
  readonly age: () => number
  /** False once a round failed or the node was behind, until one goes well again. */
  readonly answers: () => boolean
  /** Runs a round now; resolves when it is done. */
  readonly refresh: () => Promise<void>
  readonly stop: () => Promise<void>
}

export function watchChain(options: WatchOptions): ChainWatch {
  const { now = () => performance.now() } = options
  let lastSuccess = Number.NEGATIVE_INFINITY
  let answers = true
  let stopped = false
  let timer: NodeJS.Timeout | undefined
  let running: Promise<void> | undefined
  let firstSync: () => void = () => undefined
  let neverSynced: (error: Error) => void = () => undefined
  const synced = new Promise<void>((resolve, reject) => {
    firstSync = resolve
    neverSynced = reject
  })
  // Whoever waits gets the error; nobody has to wait.
  synced.catch(() => undefined)

  async function round(): Promise<void> {
    try {
      let outcome = await syncOnce(options)
      options.onOutcome(outcome)
      // Nobody can pay until the new chain was read: now, and not after the interval.
      if (outcome.kind === 'reorganised') outcome = await syncOnce(options)
      if (outcome.kind !== 'synced') {
        answers = false
        return
      }
      await options.afterSync()
      lastSuccess = now()
      answers = true
      firstSync()
    } catch (error) {
      answers = false
      if (!isUraidenError(error)) throw error
      options.onError(error)
    }
  }

  function refresh(): Promise<void> {
    running ??= round().finally(() => {
      running = undefined
    })
    return running
  }

  function schedule(): void {
    refresh().then(
      () => {
        if (!stopped) timer = setTimeout(schedule, options.interval)
      },
      (error) => {
        options.onError(error)
        if (!stopped) timer = setTimeout(schedule, options.interval)
      },
    )
  }

  schedule()
  return {
    synced,
    answers: () => answers,
    age: () => now() - lastSuccess,
    refresh,
    stop: async () => {
      stopped = true
      clearTimeout(timer)
      await running?.catch(() => undefined)
      neverSynced(
        new UraidenError({
          code: 'stopped',
          message: 'The receiver was stopped before it had read the chain.',
          hint: 'Start it again.',
        }),
      )
    },
  }
}
