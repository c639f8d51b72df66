// The sink that is an InfluxDB, or what else takes line protocol over HTTP: version 2 with a token, version 1 with a
// user or nobody. A point that comes twice is one point: its series and time are the same. Loaded where there is one.
// https://docs.influxdata.com/influxdb/v2/api/ (POST /api/v2/write), https://docs.influxdata.com/influxdb/v1/tools/api/
import { readPrivateFile } from '../../../platform/keys/private-file.ts'
import { printedUrl } from '../../../platform/text/printed.ts'
import type { HeaderFields } from '../../../protocol/index.ts'
import { agentError } from '../../errors/index.ts'
import { readJson } from './json-text.ts'
import { compilePicker } from './pick.ts'
import { lineName, lineString, type Reader, readerOf } from './template.ts'
import type { Entry, Sink } from './types.ts'
import { requestStatus } from './webhook.ts'

export interface InfluxPlace {
  readonly url: string
  /** Version 2. */
  readonly bucket?: string | undefined
  readonly org?: string | undefined
  /** Version 1. */
  readonly database?: string | undefined
  /** A file, read for each delivery. */
  readonly token?: string | undefined
  readonly username?: string | undefined
  readonly password?: string | undefined
  /** For one answer, in milliseconds. */
  readonly timeout: number
}

export interface PointRule {
  readonly measurement: string
  /** By name: a JSONPath or a fixed text. */
  readonly tags: { readonly [name: string]: string }
  /** By name: a JSONPath. Default: the body, or what is selected of it, as value. */
  readonly fields?: { readonly [name: string]: string } | undefined
  readonly select?: string | undefined
}

/** A line of the protocol; undefined where a tag does not fit, or no field is there. */
export function compilePoint(rule: PointRule): (entry: Entry) => Uint8Array | undefined {
  const { measurement, tags, fields, select } = rule
  const tagReaders = Object.entries(tags).map(([name, text]) => {
    const read: Reader = text.startsWith('$') ? readerOf(text) : () => ({ text })
    return [name, read] as const
  })
  const fieldReaders =
    fields && Object.entries(fields).map(([name, text]) => [name, readerOf(text)] as const)
  const pick = compilePicker(select === undefined ? {} : { select })
  return (entry) => {
    const document = readJson(new TextDecoder().decode(entry.payload))
    const texts = tagReaders.map(([name, read]) =>
      pair(
        name,
        read(entry, () => document),
        lineName,
      ),
    )
    const found = fieldReaders
      ? fieldReaders.map(([name, read]) =>
          pair(
            name,
            read(entry, () => document),
            fieldValue,
          ),
        )
      : [pair('value', valueIn(pick(entry)), fieldValue)]
    const present = found.filter((each) => each !== undefined)
    if (texts.includes(undefined) || present.length === 0) return undefined
    const series = [escaped(measurement), ...texts].join(',')
    return Buffer.from(`${series} ${present.join(',')} ${entry.time}`)
  }
}

type Value = ReturnType<Reader>

function valueIn(picked: Uint8Array | undefined): Value {
  if (picked === undefined) return undefined
  const text = new TextDecoder().decode(picked)
  const isValue = /^(?:-?\d[\d.eE+-]*|true|false|[[{"].*)$/s.test(text.trim())
  const document = isValue ? readJson(text) : undefined
  if (document === undefined) return { text }
  return typeof document.value === 'string' ? { text: document.value } : { json: document.text() }
}

function pair(name: string, value: Value, form: (value: NonNullable<Value>) => string | undefined) {
  const written = value === undefined ? undefined : form(value)
  return written === undefined ? undefined : `${escaped(name)}=${written}`
}

/** A number is a float, as all numbers of JSON: a field keeps the type that it had first. */
function fieldValue(value: NonNullable<Value>): string | undefined {
  if ('json' in value && /^(?:-?\d[\d.eE+-]*|true|false)$/.test(value.json)) return value.json
  if ('json' in value && value.json === 'null') return undefined
  const text = lineString(value)
  return text === undefined ? undefined : `"${text}"`
}

function escaped(name: string): string {
  return name.replace(/[,= ]/g, '\\$&')
}

/** About these points and no others. */
const refusing = new Set([400, 413, 422])

export function createInfluxSink(place: InfluxPlace): Sink {
  const stopping = new AbortController()
  return {
    deliver: async (entries) => {
      const status = await write(place, entries, stopping.signal)
      if (status >= 200 && status < 300) return entries.length
      if (!refusing.has(status)) throw failed(place, status)
      // One that is refused holds up no others.
      const alone =
        entries.length > 1 ? await write(place, entries.slice(0, 1), stopping.signal) : status
      if (alone >= 200 && alone < 300) return 1
      if (!refusing.has(alone)) throw failed(place, alone)
      throw agentError({
        code: 'entry_refused',
        message: `${printedUrl(place.url)} does not take a point (HTTP status ${alone}).`,
        hint: 'Look at the types of its fields: one that was a number first takes no text.',
      })
    },
    stop: async () => stopping.abort(),
  }
}

async function write(
  place: InfluxPlace,
  entries: readonly Entry[],
  signal: AbortSignal,
): Promise<number> {
  const { url, bucket, org, database, timeout } = place
  const target = new URL(url)
  target.pathname = `${target.pathname.replace(/\/$/, '')}${bucket === undefined ? '/write' : '/api/v2/write'}`
  const names = bucket === undefined ? { db: database } : { bucket, org }
  for (const [name, value] of Object.entries({ ...names, precision: 'ms' })) {
    if (value !== undefined) target.searchParams.set(name, value)
  }
  const body = entries.map(({ payload }) => Buffer.from(payload).toString('utf8')).join('\n')
  const headers = { 'Content-Type': 'text/plain; charset=utf-8', ...(await credentials(place)) }
  const request = {
    url: target.href,
    method: 'POST' as const,
    headers,
    body: Buffer.from(body),
    timeout,
  }
  return requestStatus(request, signal, (code) =>
    agentError({
      code: 'influx_failed',
      message: `The InfluxDB ${printedUrl(url)} cannot be reached (${code}).`,
      hint: 'Check the URL and the network. What was bought waits in the queue.',
    }),
  )
}

async function credentials({ token, username, password }: InfluxPlace): Promise<HeaderFields> {
  if (token !== undefined) return { Authorization: `Token ${await firstLine(token)}` }
  if (username === undefined || password === undefined) return {}
  const pair = Buffer.from(`${username}:${await firstLine(password)}`).toString('base64')
  return { Authorization: `Basic ${pair}` }
}

async function firstLine(file: string): Promise<string> {
  const [line = ''] = (await readPrivateFile(file)).split(/\r?\n/, 1)
  return line
}

function failed({ url }: InfluxPlace, status: number) {
  return agentError({
    code: 'influx_failed',
    message: `The InfluxDB ${printedUrl(url)} answers with HTTP status ${status}.`,
    hint: 'Look at its token, bucket or database, and at its log. What was bought waits in the queue.',
  })
}
