// Settings as a schema knows them, and as tables of the documentation name them.
import type { JsonSchema } from '../../platform/config/names.ts'

/** `a.b` for every setting; `<name>` stands for what a person chooses, `[]` for each of a list. */
export function settings(schema: JsonSchema, path = ''): readonly string[] {
  const { anyOf = [], oneOf = [], allOf = [], items = [] } = schema
  const inside = [
    ...Object.entries(schema.properties ?? {}).flatMap(([name, each]) =>
      settings(each, path === '' ? name : `${path}.${name}`),
    ),
    ...(typeof schema.additionalProperties === 'object'
      ? settings(schema.additionalProperties, `${path}.<name>`)
      : []),
    ...[items].flat().flatMap((each) => settings(each, `${path}[]`)),
    ...[...anyOf, ...oneOf, ...allOf].flatMap((each) => settings(each, path)),
  ]
  return [...new Set([path, ...inside])].filter((each) => each !== '')
}

export interface SettingRow {
  readonly names: readonly string[]
  /** It stands for its neighbours too: `budget.jobs.<name>.hour` …. */
  readonly goesOn: boolean
  /** The second column. */
  readonly value: string
}

/** Of the table whose first column has this heading; the first one below `after`. */
export function settingRows(page: string, heading: string, after = ''): readonly SettingRow[] {
  const [, text = ''] = page.slice(page.indexOf(after)).split(`\n| ${heading} |`)
  const [, ...lines] = text.split('\n')
  const end = lines.findIndex((line) => !line.startsWith('|'))
  return lines
    .slice(1, end < 0 ? undefined : end)
    .map((line) => line.replaceAll('\\|', '¦').split('|'))
    .map(([, cell = '', value = '']) => ({
      names: namesIn(cell),
      goesOn: cell.includes('…'),
      value: value.trim(),
    }))
}

/** `a.b` `.c` is `a.b` and `a.c`. */
function namesIn(cell: string): readonly string[] {
  const [first = '', ...others] = [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name)
  // What a person names is the last of its path.
  const folder = first.replace(/\.[^.]+(\.<name>)?$/, '')
  return [first, ...others.map((name) => (name.startsWith('.') ? `${folder}${name}` : name))]
}

const milliseconds: { readonly [unit: string]: number } = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}
/** A share is in hundredths of a percent. */
const factors: { readonly [unit: string]: number } = { MB: 1e6, MiB: 2 ** 20, '%': 100 }

/** Whether a value is what the column says; nothing where the column says it in words. */
export function isValue(column: string, value: unknown): boolean | undefined {
  const [text = ''] = column.replaceAll('`', '').split(/[;,] /)
  const [, digits = '', unit = ''] = /^([\d.]+) ?(ms|s|m|h|d|MB|MiB|%)?$/.exec(text) ?? []
  if (digits !== '') {
    const number = Number(digits)
    const time = number * (milliseconds[unit] ?? Number.NaN)
    return [number * (factors[unit] ?? 1), time, time / 1000].includes(Number(value))
  }
  return column.startsWith('`') || ['true', 'false'].includes(text)
    ? text === `${value}`
    : undefined
}
