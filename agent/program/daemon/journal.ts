// What the daemon says: its log, and the last troubles for `status`.
import {
  createLog,
  errorFacts,
  type Log,
  type LogEntry,
  type LogForm,
  type LogLevel,
} from '../control/log.ts'
import { createTroubles } from './trouble.ts'

export interface Journal {
  readonly log: Log
  /** Newest last. */
  readonly troubles: () => readonly LogEntry[]
  /** A warning; the same `kind` again is kept quiet for a while. */
  readonly trouble: (kind: string, message: string, error: unknown) => void
  /** Says that `kind` is over, if it was said before. */
  readonly over: (kind: string, message: string) => void
  readonly change: (settings: JournalSettings) => void
}

export interface JournalSettings {
  readonly level: LogLevel
  readonly form?: LogForm | undefined
}

export interface JournalOptions {
  readonly settings: JournalSettings
  readonly write: (text: string) => void
  readonly terminal: boolean
  readonly environment: NodeJS.ProcessEnv
}

const kept = 20

export function createJournal({ settings, write, terminal, environment }: JournalOptions): Journal {
  const entries: LogEntry[] = []
  const said = createTroubles()
  const logFor = ({ level, form }: JournalSettings): Log =>
    createLog({
      level,
      form: form ?? (terminal ? 'text' : 'json'),
      // systemd.exec(5): set where standard error goes to the journal.
      priorities: environment.JOURNAL_STREAM === undefined ? 'none' : 'syslog',
      write,
      onTrouble: (entry) => {
        entries.push(entry)
        if (entries.length > kept) entries.shift()
      },
    })
  let current = logFor(settings)
  const log: Log = {
    debug: (message, facts) => current.debug(message, facts),
    info: (message, facts) => current.info(message, facts),
    warn: (message, facts) => current.warn(message, facts),
    error: (message, facts) => current.error(message, facts),
  }
  return {
    log,
    troubles: () => [...entries],
    trouble: (kind, message, error) => {
      const facts = errorFacts(error)
      const saying = said.say(kind, performance.now())
      if (saying === undefined) return log.debug(message, facts)
      log.warn(message, { ...facts, ...(saying.quiet > 0 && { times: saying.quiet + 1 }) })
    },
    over: (kind, message) => {
      if (said.over(kind)) log.info(message)
    },
    change: (changed) => {
      current = logFor(changed)
    },
  }
}
