// The value that a job has bought, for people: one number where the answer is about one, else a short text.
import { defined, shorten } from '../../protocol/index.ts'

export interface BoughtValue {
  /** On one line. */
  readonly text: string
  /** Undefined for what is no single number. */
  readonly number?: number
}

/** The last ones of a job, oldest first. */
export interface BoughtValues {
  /** Numbers alone. */
  readonly numbers: readonly number[]
  readonly last: string
}

/** Numbers that are kept of a job: a day of one each half hour. */
export const mostValues = 48

/** Bytes of an answer that is looked into. */
const mostRead = 16_384
const mostText = 80
const mostDepth = 8

/** Numbers that say when, or which one, and not how much. */
const notMeasured = /^(time|timestamp|ts|date|epoch|at|id|seq|sequence|version|block|interval)$/i

export function boughtValue(payload: Uint8Array): BoughtValue {
  const text = payload.length > mostRead ? undefined : textIn(payload)
  if (text === undefined) return { text: `${payload.length} bytes` }
  return { text: shorten(text, mostText), ...defined({ number: numberIn(text) }) }
}

export function withValue(
  before: BoughtValues | undefined,
  { text, number }: BoughtValue,
): BoughtValues {
  const numbers = before?.numbers ?? []
  return {
    numbers: number === undefined ? numbers : [...numbers, number].slice(-mostValues),
    last: number === undefined ? text : `${number}`,
  }
}

/** Undefined for what is no text that a person could read. */
function textIn(payload: Uint8Array): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(payload)
    const line = text.trim().replace(/\s+/g, ' ')
    return /\p{Cc}/u.test(line) ? undefined : line
  } catch {
    return undefined
  }
}

function numberIn(text: string): number | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return undefined
  }
  const found = [...numbersIn(value, '', 0)]
  return found.length === 1 ? found[0] : undefined
}

function* numbersIn(value: unknown, name: string, depth: number): Generator<number> {
  if (typeof value === 'number' && !notMeasured.test(name)) yield value
  if (typeof value !== 'object' || value === null || depth >= mostDepth) return
  for (const [key, each] of Object.entries(value)) yield* numbersIn(each, key, depth + 1)
}
