// A line of a log for people and for programs that know logfmt: a sentence, then its fields.
import { plainLine } from './plain-text.ts'

export type LineLevel = 'debug' | 'info' | 'warn' | 'error'

/** Characters. */
const longestLine = 10_000

/** `warn: the chain could not be read code=chain_unavailable reason="…"`; one event is one line. */
export function logLine(
  level: LineLevel,
  message: string,
  facts: Readonly<Record<string, unknown>>,
): string {
  const more = Object.entries(facts).map(
    ([name, value]) =>
      `${name}=${quoted(typeof value === 'string' ? value : JSON.stringify(value))}`,
  )
  const mark = level === 'info' || level === 'debug' ? [] : [`${level}:`]
  return plainLine([...mark, message, ...more].join(' '), longestLine)
}

/** As logfmt wants it: what could be taken for another field is in quotes. */
function quoted(value: string): string {
  return value === '' || /[\s"=\\]/.test(value) ? JSON.stringify(value) : value
}

/** What journald reads at the beginning of a line, sd-daemon(3). */
export const linePriority: Readonly<Record<LineLevel, number>> = {
  debug: 7,
  info: 6,
  warn: 4,
  error: 3,
}
