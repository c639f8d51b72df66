// `alerts` of receiver.yaml: what its owner is told, and where. The words are those of agent.yaml.
import { resolve } from 'node:path'
import { z } from 'zod'
import {
  commandTarget,
  duration,
  etherAmount,
  size,
  webhookTarget,
} from '../../platform/config/index.ts'
import { defined } from '../../protocol/index.ts'
import { unknownField } from './template.ts'

const off = z.literal(false)

const sink = z
  .strictObject({
    webhook: webhookTarget.optional(),
    command: commandTarget
      .optional()
      .describe('a program and its arguments, which gets the message on standard input'),
    timeout: duration.default(60_000).describe('of the command'),
    template: z
      .string()
      .superRefine((text, context) => {
        const field = unknownField(text)
        if (field === undefined) return
        context.addIssue({ code: 'custom', message: `a message has no "${field}".` })
      })
      .optional()
      .describe('text with {{ $.text }}, {{ $.alert }}, {{ $.subject }}, {{ $.state }}'),
  })
  .refine(({ webhook: url, command }) => (url === undefined) !== (command === undefined), {
    error: 'this sink needs "webhook" or "command", one of them.',
  })

export type AlertSinkConfig = z.output<typeof sink>

export const alertsSchema = z.strictObject({
  sinks: z.array(sink).min(1, { error: 'alerts without a sink are told to nobody.' }),
  disputes: z.boolean().default(true).describe('a buyer asks to close below the best proof'),
  node: z.union([off, duration]).default(300_000).describe('the Ethereum node is away for so long'),
  ether: z
    .union([off, etherAmount])
    .optional()
    .describe('the account has less; default: what answers to dishonest closes may need'),
  disk: z.union([off, size]).default(100_000_000).describe('less is free where the state is'),
  watchtowers: z
    .union([off, duration])
    .default(900_000)
    .describe('one of them has not confirmed a proof for so long'),
})

export type AlertsConfig = z.output<typeof alertsSchema>

/** With the paths in it made absolute. */
export function alertsFrom(folder: string, alerts: AlertsConfig): AlertsConfig {
  const at = (path: string | undefined) => path && resolve(folder, path)
  const sinks = alerts.sinks.map(({ webhook: hook, command, ...rest }): AlertSinkConfig => {
    const files = hook && { urlFile: at(hook.urlFile), headersFile: at(hook.headersFile) }
    const [program, ...args] = command ?? []
    return {
      ...rest,
      ...(hook && { webhook: { ...hook, ...defined(files ?? {}) } }),
      // A name without a slash is looked for as a shell does.
      ...(program && {
        command: [program.includes('/') ? resolve(folder, program) : program, ...args],
      }),
    }
  })
  return { ...alerts, sinks }
}
