// Tables that fit a terminal of 80 columns, and bars.
import { table } from '../../../platform/cli/output.ts'
import {
  formatAmount,
  formatNumber,
  type TokenAmount,
  type TokenUnit,
} from '../../../protocol/index.ts'

/** What a terminal has when nobody has made it larger. */
export const terminalWidth = 80

const gap = 2
/** A column that gives way keeps so much. */
const leastWidth = 8

export interface Columns {
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
  /** Places of the columns that are cut where there is no room, the first one last. */
  readonly flexible: readonly number[]
}

/** No line is longer than `terminalWidth`, where cutting the flexible columns is enough for that. */
export function fitted({ head, rows, flexible }: Columns): string {
  const widths = head.map((title, at) =>
    Math.max(title.length, ...rows.map((row) => length(row[at]))),
  )
  let over = widths.reduce((sum, width) => sum + width + gap, -gap) - terminalWidth
  const most = new Map<number, number>()
  for (const at of [...flexible].reverse()) {
    if (over <= 0) break
    const width = widths[at] ?? 0
    const kept = Math.max(Math.min(width, leastWidth), width - over)
    most.set(at, kept)
    over -= width - kept
  }
  const cut = (row: readonly string[]) =>
    row.map((cell, at) => shortened(cell, most.get(at) ?? cell.length))
  return table(cut(head), rows.map(cut))
}

function length(text = ''): number {
  return text.length
}

/** The end of what is cut says more than its middle: names of one kind begin alike. */
function shortened(text: string, most: number): string {
  if (text.length <= most) return text
  const end = Math.floor((most - 1) / 3)
  return `${text.slice(0, most - 1 - end)}…${text.slice(text.length - end)}`
}

const usualBar = 10
const eighths = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉']

/** `███▏······  31 %`; a cap of nothing is full. */
export function bar(used: TokenAmount, cap: TokenAmount, width = usualBar): string {
  const most = width * 8
  const isFull = used >= cap
  const filled = isFull ? most : Number((used * BigInt(most)) / cap)
  const blocks = '█'.repeat(Math.floor(filled / 8)) + (eighths[filled % 8] ?? '')
  const percent = isFull ? 100 : Math.min(99, Number((used * 100n) / cap))
  return `${blocks.padEnd(width, '·')} ${`${percent}`.padStart(3)} %`
}

/** Digits of an amount that a person reads at a glance. */
const digits = 6
const longestSymbol = 8

/** `0.005`: exact where that is short, else rounded down to six digits, from a million on as `4.72237e21`. */
export function shortNumber(amount: TokenAmount, decimals: number): string {
  const exact = formatNumber(amount, decimals)
  if (exact.length <= digits + 2 || amount < 0n) return exact
  const text = amount.toString()
  const exponent = text.length - 1 - decimals
  if (exponent >= digits || exponent < -4) {
    const [first = '', ...more] = text.slice(0, digits)
    const rest = more.join('').replace(/0+$/, '')
    return `${first}${rest && `.${rest}`}e${exponent}`
  }
  const shown = Math.max(0, digits - 1 - Math.max(exponent, 0))
  const unit = 10n ** BigInt(Math.max(decimals - shown, 0))
  return formatNumber((amount / unit) * unit, decimals)
}

/** As `shortNumber`, with the symbol. The whole of it is in `--json`. */
export function shortAmount(amount: TokenAmount, { symbol, decimals }: TokenUnit): string {
  return `${shortNumber(amount, decimals)} ${shortened(symbol, longestSymbol)}`
}

/** `0.31 of 1 TKN` */
export function part(used: TokenAmount, whole: TokenAmount, token: TokenUnit): string {
  return `${shortNumber(used, token.decimals)} of ${shortAmount(whole, token)}`
}

/** As `formatAmount` where the token is known. */
export function wholeAmount(amount: TokenAmount, token: TokenUnit | undefined): string {
  return token === undefined ? `${amount} units` : formatAmount(amount, token)
}
