// What the daemon says: its log, and the last warnings for `status`.
import type { Milliseconds } from '../../../platform/time/clock.ts'
import {
  createLog,
  errorFacts,
  type Log,
  type LogEntry,
  type LogFormat,
  type LogLevel,
} from '../control/log.ts'

export interface Journal {
  readonly log: Log
  /** Newest last. */
  readonly warnings: () => readonly LogEntry[]
  /** The same `kind` again is kept quiet for a while. */
  readonly warn: (kind: string, message: string, error: unknown) => void
  readonly change: (settings: JournalSettings) => Promise<void>
}

export interface JournalSettings {
  readonly level: LogLevel
  readonly format: LogFormat
}

export interface JournalOptions {
  readonly settings: JournalSettings
  readonly write: (text: string) => void
  readonly environment: NodeJS.ProcessEnv
}

const kept = 20

export async function createJournal({
  settings,
  write,
  environment,
}: JournalOptions): Promise<Journal> {
  const entries: LogEntry[] = []
  const throttle = createThrottle()
  const logFor = ({ level, format }: JournalSettings): Promise<Log> =>
    createLog({
      level,
      format,
      // systemd.exec(5): set where standard error goes to the journal.
      priorities: environment.JOURNAL_STREAM === undefined ? 'none' : 'syslog',
      write,
      onWarning: (entry) => {
        entries.push(entry)
        if (entries.length > kept) entries.shift()
      },
    })
  let current = await logFor(settings)
  const log: Log = {
    debug: (message, facts) => current.debug(message, facts),
    info: (message, facts) => current.info(message, facts),
    warn: (message, facts) => current.warn(message, facts),
    error: (message, facts) => current.error(message, facts),
  }
  return {
    log,
    warnings: () => [...entries],
    warn: (kind, message, error) => {
      const facts = errorFacts(error)
      const suppressed = throttle(kind, performance.now())
      if (suppressed === undefined) return log.debug(message, facts)
      log.warn(message, { ...facts, ...(suppressed > 0 && { times: suppressed + 1 }) })
    },
    change: async (changed) => {
      current = await logFor(changed)
    },
  }
}

/** Between two warnings of the same kind: the log stays readable on a bad day. */
const throttled: Milliseconds = 10 * 60_000

/** Different kinds that are remembered; there are few, but a receiver's words may be in them. */
const mostKinds = 200

/**
 * Whether a warning may be said: how many of its kind were suppressed since the last one; undefined for
 * one that is suppressed itself.
 */
export function createThrottle(): (kind: string, now: Milliseconds) => number | undefined {
  const known = new Map<string, { said: Milliseconds; suppressed: number }>()
  return (kind, now) => {
    const before = known.get(kind)
    if (before !== undefined && now - before.said < throttled) {
      before.suppressed++
      return undefined
    }
    known.delete(kind)
    known.set(kind, { said: now, suppressed: 0 })
    const [oldest] = known.keys()
    if (known.size > mostKinds && oldest !== undefined) known.delete(oldest)
    return before?.suppressed ?? 0
  }
}
