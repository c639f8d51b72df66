// How the command line speaks: tables for a person, JSON for a program. All that is printed goes through
// here, and nothing of it can steer a terminal but our own colours.

import { plainJson, plainLine, plainText } from '../text/plain-text.ts'
import { monotonic } from '../time/monotonic.ts'

/** Where a command writes. */
export interface Output {
  readonly json: boolean
  /** What was asked for: standard output. */
  readonly print: (text: string) => void
  /** What a person should also know: standard error. */
  readonly say: (text: string) => void
  /** The terminal's screen, for what is shown anew; nothing elsewhere. */
  readonly clear: () => void
  readonly colour: (name: 'green' | 'yellow' | 'red', text: string) => string
  /** Shows that something lasts, until `work` is done; only to a person at a terminal. */
  readonly during: <Value>(text: string, work: () => Promise<Value>) => Promise<Value>
}

const colours = { green: 32, yellow: 33, red: 31 } as const

/**
 * Stands for the escapes of our own colours until all others are gone: nobody else can know it. Undefined before the
 * first colour: most of what is printed has none, and what makes it takes long to load.
 */
let mark: string | undefined

function coloured(code: number, text: string): string {
  mark ??= crypto.randomUUID()
  return `${mark}${code};${text}${mark}0;`
}

function shown(text: string): string {
  const plain = plainText(text)
  return mark === undefined ? plain : plain.replace(new RegExp(`${mark}(\\d+);`, 'g'), '\u001b[$1m')
}

export function createOutput(json: boolean, environment: NodeJS.ProcessEnv = process.env): Output {
  const hasColours = process.stdout.isTTY === true && !environment.NO_COLOR
  return {
    json,
    print: (text) => void process.stdout.write(`${json ? plainJson(text) : shown(text)}\n`),
    say: (text) => void process.stderr.write(`${shown(text)}\n`),
    clear: () => void (process.stdout.isTTY && process.stdout.write('\u001b[H\u001b[2J\u001b[3J')),
    colour: (name, text) => (hasColours ? coloured(colours[name], text) : text),
    during: json || !process.stderr.isTTY ? (_, work) => work() : showProgress,
  }
}

async function showProgress<Value>(text: string, work: () => Promise<Value>): Promise<Value> {
  const began = monotonic()
  const show = () => {
    const seconds = Math.round((monotonic() - began) / 1000)
    process.stderr.write(`\r\u001b[K${text}… ${seconds} s`)
  }
  show()
  const timer = setInterval(show, 1000)
  try {
    return await work()
  } finally {
    clearInterval(timer)
    process.stderr.write('\r\u001b[K')
  }
}

/** Amounts become decimal strings of the smallest unit: JSON numbers would lose digits. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (_, item) => (typeof item === 'bigint' ? item.toString() : item), 2)
}

/** More of a cell is cut off. */
const longestCell = 200

/** Columns as wide as their widest cell. */
export function table(head: readonly string[], given: readonly (readonly string[])[]): string {
  const rows = given.map((row) => row.map((cell) => plainLine(cell, longestCell)))
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  )
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()
  return [head, ...rows].map(line).join('\n')
}
