// The daemon's log: to standard error, for journald or a person.
import { linePriority, logLine } from '../../../platform/text/log-line.ts'
import { plainJson } from '../../../platform/text/plain-text.ts'
import { withoutKeys } from '../../../platform/text/printed.ts'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

export type LogFacts = Readonly<Record<string, unknown>>

export type Log = {
  readonly [Level in LogLevel]: (message: string, facts?: LogFacts) => void
}

/** json: one object a line, for programs; text: a sentence, then its fields as logfmt has them. */
export type LogFormat = 'json' | 'text'

export interface LogEntry {
  /** Unix time in milliseconds. */
  readonly time: number
  readonly level: LogLevel
  readonly message: string
  readonly code?: string
  readonly reason?: string
  readonly hint?: string
}

export interface LogOptions {
  readonly level: LogLevel
  readonly format: LogFormat
  /** Lines begin with `<4>` and the like, sd-daemon(3), where journald reads them. */
  readonly priorities: 'none' | 'syslog'
  readonly write: (text: string) => void
  /** Sees what is a warning or worse, also what the level hides. */
  readonly onWarning?: (entry: LogEntry) => void
}

/** A line with a message and facts; the level lets it through. */
type LineWriter = (level: LogLevel, message: string, facts: LogFacts) => void

/** Each lets itself and what comes after it through. */
const levels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error']

export async function createLog(options: LogOptions): Promise<Log> {
  const { level, format, priorities, write, onWarning } = options
  const enabled = new Set(levels.slice(levels.indexOf(level)))
  const writeLine: LineWriter =
    format === 'json'
      ? await jsonWriter(options)
      : (name, message, facts) => write(`${logLine(name, message, facts)}\n`)
  const at =
    (name: LogLevel) =>
    (text: string, facts: LogFacts = {}): void => {
      const message = withoutKeys(text)
      const plain = plainFacts(facts)
      if (name === 'warn' || name === 'error') {
        onWarning?.({ time: Date.now(), level: name, message, ...textsOf(plain) })
      }
      if (!enabled.has(name)) return
      if (priorities === 'syslog') write(`<${linePriority[name]}>`)
      writeLine(name, message, plain)
    }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

async function jsonWriter({ level, write }: LogOptions): Promise<LineWriter> {
  // A log of sentences does without its memory.
  const { default: pino } = await import('pino')
  const logger = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      messageKey: 'message',
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line: string) => write(plainJson(line)) },
  )
  return (name, message, facts) => logger[name](facts, message)
}

/** An error's words and code without its stack, and amounts as text. */
export function errorFacts(error: unknown): LogFacts {
  const { code, hint, message } = error as {
    readonly code?: unknown
    readonly hint?: unknown
    readonly message?: unknown
  }
  return {
    ...(typeof code === 'string' && { code }),
    reason: typeof message === 'string' ? message : String(error),
    ...(typeof hint === 'string' && { hint }),
  }
}

function textsOf({ code, reason, hint }: LogFacts): Pick<LogEntry, 'code' | 'reason' | 'hint'> {
  return {
    ...(typeof code === 'string' && { code }),
    ...(typeof reason === 'string' && { reason }),
    ...(typeof hint === 'string' && { hint }),
  }
}

function plainFacts(facts: LogFacts): Record<string, unknown> {
  const entries = Object.entries(facts).flatMap(([name, value]) => {
    if (value === undefined) return []
    if (typeof value === 'bigint') return [[name, value.toString()] as const]
    if (typeof value === 'string') return [[name, withoutKeys(value)] as const]
    return [[name, value] as const]
  })
  return Object.fromEntries(entries)
}
