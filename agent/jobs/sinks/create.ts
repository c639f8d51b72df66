// A sink from its configuration. The one that is standard output is here.

import { resolve } from 'node:path'
import type { Writable } from 'node:stream'
import { printedCommand, printedUrl } from '../../../platform/text/printed.ts'
import type { UraidenError } from '../../../protocol/index.ts'
import { defined } from '../../../protocol/index.ts'
import { agentError } from '../../errors/index.ts'
import { createCommandSink } from './command.ts'
import { createFileSink } from './file.ts'
import { type Broker, createMqttSink } from './mqtt.ts'
import type { SinkConfig } from './schema.ts'
import type { Sink, SinkMarks } from './types.ts'
import { createWebhookSink } from './webhook.ts'

export interface SinkPlace {
  readonly job: string
  readonly config: SinkConfig
  /** There when a broker is configured. */
  readonly broker: Broker | undefined
  readonly stdout: Writable
  readonly marks: SinkMarks
}

/**
 * Names a target on the disk, the same after every start, wherever in the configuration it stands. Never
 * shown: see `sinkName`.
 */
export function sinkId({ file, csv, influx, mqtt, webhook, command }: SinkConfig): string {
  if (csv !== undefined) return `csv:${resolve(csv.path)}`
  if (influx !== undefined)
    return `influx:${influx.url} ${influx.bucket ?? influx.database} ${influx.org ?? ''}`
  if (file !== undefined) return `file:${resolve(file)}`
  if (mqtt !== undefined) return `mqtt:${mqtt.topic}`
  if (webhook?.url !== undefined) return `webhook:${webhook.url}`
  if (webhook?.urlFile !== undefined) return `webhook-file:${resolve(webhook.urlFile)}`
  if (command !== undefined) return `command:${command.join(' ')}`
  return 'stdout'
}

/**
 * What `sinkId` names, for log, status, metrics and messages: who knows a webhook's URL may write there, and
 * a command's arguments may have a key, too.
 */
export function sinkName(id: string): string {
  const [, kind, target = ''] = /^(webhook|influx|command):(.*)$/s.exec(id) ?? []
  if (kind === 'webhook') return `webhook:${printedUrl(target)}`
  if (kind === 'influx') {
    const [url = '', ...place] = target.split(' ')
    return `influx:${printedUrl(url)} ${place.join(' ')}`.trim()
  }
  if (kind === 'command') return `command:${printedCommand(target.split(' '))}`
  return id
}

export function createSink(place: SinkPlace): Sink {
  const { job, config, broker, stdout } = place
  const { file, webhook, command, mqtt, influx } = config
  const path = file ?? config.csv?.path
  if (path !== undefined) return fileSink(path, place)
  if (influx !== undefined) {
    return lateSink(async () => (await import('./influx.ts')).createInfluxSink(influx))
  }
  if (webhook !== undefined) return createWebhookSink(webhook)
  if (command !== undefined)
    return createCommandSink({ command, timeout: config.timeout ?? 60_000 })
  if (mqtt !== undefined && broker !== undefined) return mqttSink(job, mqtt, broker)
  if (mqtt !== undefined) throw new Error('the configuration promised a broker')
  return createStreamSink(stdout)
}

function fileSink(name: string, { config, marks }: SinkPlace): Sink {
  const { csv, template } = config
  const rotation = { size: 10_000_000, age: undefined, keep: 10, ...config.rotate }
  const path = resolve(name)
  if (csv === undefined && template === undefined) return createFileSink({ path, rotation })
  const sink = lateSink(async () => {
    const { createTextFileSink } = await import('./text-file.ts')
    const text = { path, rotation, marks }
    if (csv === undefined) return createTextFileSink({ ...text, lineEnd: '\n' })
    const { csvHeader } = await import('./csv.ts')
    return createTextFileSink({ ...text, lineEnd: '\r\n', header: csvHeader(csv) })
  })
  return {
    ...sink,
    lastDelivered: async () => (await sink.made()).lastDelivered?.(),
    beginSettling: async () => (await sink.made()).beginSettling?.(),
    settle: async () => (await sink.made()).settle?.(),
  }
}

/** Loaded with the first delivery. */
function lateSink(load: () => Promise<Sink>): Sink & { readonly made: () => Promise<Sink> } {
  let loading: Promise<Sink> | undefined
  const made = (): Promise<Sink> => {
    loading ??= load()
    return loading
  }
  return {
    made,
    deliver: async (entries) => (await made()).deliver(entries),
    stop: async () => (await loading)?.stop(),
  }
}

function mqttSink(
  job: string,
  { topic, qos, retain, homeAssistant }: NonNullable<SinkConfig['mqtt']>,
  { connection: broker, device }: Broker,
): Sink {
  if (homeAssistant === undefined) return createMqttSink({ broker, topic, qos, retain })
  const { name = job, class: deviceClass, unit, stateClass, icon, expireAfter } = homeAssistant
  const { value: valueTemplate } = homeAssistant
  const sensor = {
    name,
    ...defined({ deviceClass, unit, stateClass, icon }),
    ...(expireAfter !== undefined && { expireAfter: Math.ceil(expireAfter / 1000) }),
    ...(valueTemplate !== undefined && { valueTemplate }),
  }
  return createMqttSink({ broker, topic, qos, retain, homeAssistant: { sensor, device } })
}

/** One line for each entry. */
export function createStreamSink(stream: Writable): Sink {
  // Each write is told of its own error; without a listener the stream's would end the process.
  stream.on('error', ignore)
  return {
    deliver: async (entries) => {
      const lines = entries.flatMap(({ payload }) => [payload, Buffer.from('\n')])
      await new Promise<void>((resolve, reject) => {
        stream.write(Buffer.concat(lines), (error) => (error ? reject(gone(error)) : resolve()))
      })
      return entries.length
    },
    stop: async () => {
      stream.off('error', ignore)
    },
  }
}

function ignore(): void {}

function gone(cause: Error): UraidenError {
  return agentError({
    code: 'output_closed',
    message: `Nobody reads standard output any more (${cause.message}).`,
    cause,
  })
}
