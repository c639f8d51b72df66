// The parts of agent.yaml that say where bought data goes.
import { z } from 'zod'
import {
  commandTarget,
  count,
  duration,
  filePath,
  httpUrl,
  parsed,
  size,
  webhookTarget,
} from '../../../platform/config/index.ts'
import { UraidenError } from '../../../protocol/index.ts'
import { compilePicker } from './pick.ts'
import { readerOf } from './template.ts'

const text = z.string().min(1)

/** A topic to publish to: without wildcards, MQTT 3.1.1 section 4.7. */
const topic = z
  .string()
  .min(1)
  .max(65_535)
  .regex(/^[^+#\0]+$/, { error: 'a topic to publish to has no + and no #.' })

const queue = z.strictObject({
  entries: count.min(1).max(1_000_000).default(10_000).describe('most that wait'),
  size: size.default(10_000_000).describe('most that they take on the disk'),
  whenFull: z
    .enum(['dropOldest', 'pause'])
    .default('dropOldest')
    .describe('pause: buy nothing more until there is room'),
})

const homeAssistant = z.strictObject({
  name: text.optional().describe('default: the job’s name'),
  class: text.optional().describe('device_class, such as temperature'),
  unit: text.optional().describe('unit_of_measurement'),
  stateClass: z.enum(['measurement', 'total', 'total_increasing']).optional(),
  icon: z.string().regex(/^mdi:/, { error: 'an icon begins with mdi:' }).optional(),
  expireAfter: duration.optional().describe('unavailable when it was not renewed for so long'),
  value: text.optional().describe('template that takes the value out of the payload'),
})

const mqtt = z.strictObject({
  topic,
  qos: z.union([z.literal(0), z.literal(1), z.literal(2)]).default(1),
  retain: z.boolean().default(true),
  homeAssistant: homeAssistant.optional().describe('shows up as a sensor by itself'),
})

const columnName = text.regex(/^(?!\d+$)[^\r\n]+$/, {
  error: 'a name is one line, and no number alone.',
})
/** A JSONPath, or what a template knows. */
const source = text.superRefine((path, context) => explain(context, () => readerOf(path)))

const csv = z.strictObject({
  path: filePath,
  columns: z
    .record(columnName, source)
    .optional()
    .describe('by name: a JSONPath, or time, id, job, cost, authentic'),
})

const influx = z
  .strictObject({
    url: httpUrl,
    bucket: text.optional().describe('version 2'),
    org: text.optional().describe('of the bucket'),
    database: text.optional().describe('version 1'),
    token: filePath.optional().describe('a file, mode 600; its first line is the token'),
    username: text.optional().describe('version 1'),
    password: filePath.optional().describe('a file, mode 600; its first line is the password'),
    measurement: text.optional().describe('default: the job’s name'),
    tags: z.record(columnName, text).default({}).describe('by name: a text, or a JSONPath'),
    fields: z.record(columnName, source).optional().describe('by name: a JSONPath'),
    timeout: duration.default(30_000),
  })
  .superRefine(({ bucket, database, username, password, tags }, context) => {
    if ((bucket === undefined) === (database === undefined)) {
      say(context, 'give "bucket" (version 2) or "database" (version 1), one of them.')
    }
    if ((username === undefined) !== (password === undefined)) {
      say(context, 'username and password belong together.')
    }
    for (const path of Object.values(tags)) {
      if (path.startsWith('$')) explain(context, () => readerOf(path))
    }
  })

const rotation = z.strictObject({
  size: size.default(10_000_000),
  age: duration.optional(),
  keep: count.min(1).max(100_000).default(10).describe('full files that stay'),
})

const targets = ['file', 'csv', 'influx', 'mqtt', 'webhook', 'command', 'stdout'] as const

export const sinkSchema = z
  .strictObject({
    file: filePath.optional().describe('path of a file of JSON lines'),
    csv: z.union([filePath.transform((path) => csv.parse({ path })), csv]).optional(),
    influx: influx.optional().describe('an InfluxDB'),
    rotate: rotation.optional().describe('of the file'),
    mqtt: z.union([topic.transform((name) => mqtt.parse({ topic: name })), mqtt]).optional(),
    headers: z
      .never({ error: 'headers belong to the webhook: { url: https://…, headers: { … } }.' })
      .optional(),
    webhook: webhookTarget.optional(),
    command: commandTarget
      .optional()
      .describe('a program and its arguments, which gets the body on standard input'),
    timeout: duration.optional().describe('of the command; default 60s'),
    stdout: z.literal(true).optional(),
    select: parsed(checkedSelect).optional().describe('JSONPath of what to send'),
    template: z
      .string()
      .superRefine((template, context) => explain(context, () => compilePicker({ template })))
      .optional()
      .describe(
        'text with {{ $.path }}, {{ job }}, {{ time }}, {{ id }}, {{ cost }}, {{ authentic }}',
      ),
    queue: queue.prefault({}).describe('on the disk, while the sink takes nothing'),
  })
  .superRefine((sink, context) => {
    const named = targets.filter((target) => sink[target] !== undefined)
    const all = targets.join(', ')
    if (named.length === 0) say(context, `this sink has no target. Give it one of: ${all}.`)
    if (named.length > 1)
      say(context, `this sink has ${named.length} targets: ${named.join(', ')}.`)
    if (sink.select !== undefined && sink.template !== undefined) {
      say(context, 'select and template exclude each other.')
    }
    const { select, csv, influx } = sink
    if (sink.rotate !== undefined && sink.file === undefined && csv === undefined) {
      say(context, 'only a file rotates.')
    }
    if (sink.template !== undefined && (csv ?? influx) !== undefined) {
      say(context, 'csv and influx have a form of their own, and no template.')
    }
    if (select !== undefined && (csv?.columns ?? influx?.fields) !== undefined) {
      say(context, 'select has no meaning beside columns or fields.')
    }
    if (sink.timeout !== undefined && sink.command === undefined) {
      say(context, 'here only a command has a timeout.')
    }
  })

/** The broker that all sinks with `mqtt` publish to. */
export const brokerSchema = z
  .strictObject({
    url: z.url({ protocol: /^mqtts?$/, error: 'this is not an mqtt:// or mqtts:// URL.' }),
    username: text.optional(),
    password: filePath.optional().describe('a file, mode 600; its first line is the password'),
    clientId: z
      .string()
      .regex(/^[0-9a-zA-Z_-]{1,64}$/, { error: 'a client id has letters, digits, _ and - only.' })
      .optional()
      .describe('default: uraiden- and the agent’s address'),
    ca: filePath
      .optional()
      .describe('PEM file of the authority that the broker’s certificate is from'),
    cert: filePath.optional().describe('PEM file with a certificate of our own'),
    certKey: filePath.optional().describe('its key, a file, mode 600'),
    statusTopic: topic
      .optional()
      .describe('online and, by last will, offline. Default uraiden/…/status'),
    name: text.default('µRaiden').describe('of the device in Home Assistant'),
    discoveryPrefix: topic.default('homeassistant'),
    homeAssistant: z
      .union([
        z.boolean(),
        z.strictObject({
          buttons: z.boolean().default(true).describe('pause, resume and run from there'),
          url: httpUrl.optional().describe('where the agent’s page is for people who look there'),
        }),
      ])
      .default(false)
      .transform((given) =>
        given === true ? { buttons: true, url: undefined } : given || undefined,
      )
      .describe('the agent itself as a device: what it spent, what is left, problems, buttons'),
  })
  .refine(({ cert, certKey }) => (cert === undefined) === (certKey === undefined), {
    error: 'cert and certKey belong together.',
  })

export type SinkConfig = z.output<typeof sinkSchema>
export type BrokerConfig = z.output<typeof brokerSchema>

function checkedSelect(select: string): string {
  compilePicker({ select })
  return select
}

type Context = z.core.$RefinementCtx

function say(context: Context, message: string, hint?: string): void {
  context.addIssue({ code: 'custom', message, ...(hint !== undefined && { params: { hint } }) })
}

function explain(context: Context, check: () => unknown): void {
  try {
    check()
  } catch (error) {
    if (!(error instanceof UraidenError)) throw error
    say(context, error.message, error.hint)
  }
}
