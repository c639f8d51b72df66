// Readers of what sinks write, made from the formats' own texts and not from what writes them.

/** RFC 4180 section 2, sign by sign. @throws Error for what it does not allow */
export function readCsv(text: string): readonly (readonly string[])[] {
  const rows: string[][] = []
  let row: string[] = []
  let at = 0
  while (at < text.length) {
    let value = ''
    if (text[at] === '"') {
      at++
      for (;;) {
        if (at >= text.length) throw new Error('a quote has no end')
        if (text[at] === '"' && text[at + 1] === '"') {
          value += '"'
          at += 2
        } else if (text[at] === '"') {
          at++
          break
        } else value += text[at++]
      }
    } else {
      while (at < text.length && !',\r\n'.includes(text[at] ?? '')) {
        if (text[at] === '"') throw new Error(`a quote inside of ${value}`)
        value += text[at++]
      }
    }
    row.push(value)
    if (text[at] === ',') at++
    else if (text.startsWith('\r\n', at)) {
      at += 2
      rows.push(row)
      row = []
    } else throw new Error(`neither a comma nor CRLF at ${at} of ${JSON.stringify(text)}`)
  }
  return rows
}

export interface Point {
  readonly measurement: string
  readonly tags: { readonly [name: string]: string }
  readonly fields: { readonly [name: string]: string | number | boolean }
  readonly time: number
}

/**
 * https://docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol/: a backslash escapes comma, equals sign and
 * space; inside double quotes, quote and backslash. @throws Error for what it does not allow
 */
export function readPoint(line: string): Point {
  let at = 0
  const word = (ends: string): string => {
    let value = ''
    while (at < line.length && !ends.includes(line[at] ?? '')) {
      if (line[at] === '\\' && ',= '.includes(line[at + 1] ?? '?')) at++
      value += line[at++]
    }
    if (value === '') throw new Error(`nothing at ${at} of ${line}`)
    return value
  }
  const take = (sign: string): void => {
    if (line[at++] !== sign) throw new Error(`no "${sign}" at ${at - 1} of ${line}`)
  }
  const quoted = (): string => {
    let value = ''
    for (take('"'); line[at] !== '"'; at++) {
      if (at >= line.length) throw new Error('a quote has no end')
      if (line[at] === '\\' && '"\\'.includes(line[at + 1] ?? '?')) at++
      value += line[at]
    }
    take('"')
    return value
  }
  const bare = (): number | boolean => {
    const text = word(', ')
    if (text === 'true' || text === 'false') return text === 'true'
    if (!/^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(text)) throw new Error(`"${text}" is no field`)
    return Number(text)
  }
  const tags: Record<string, string> = {}
  const fields: Record<string, string | number | boolean> = {}
  const measurement = word(', ')
  while (line[at] === ',') {
    at++
    const name = word('=')
    take('=')
    tags[name] = word(', ')
  }
  do {
    at++
    const name = word('=')
    take('=')
    fields[name] = line[at] === '"' ? quoted() : bare()
  } while (line[at] === ',')
  take(' ')
  return { measurement, tags, fields, time: Number(word(' ')) }
}
