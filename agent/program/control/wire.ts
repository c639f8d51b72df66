// How command line and daemon talk: JSON over HTTP on a Unix socket, amounts as `{"$bigint": "5"}`.

import { z } from 'zod'
import { isUraidenError, parseAddress, UraidenError } from '../../../protocol/index.ts'
import type { ChannelName } from '../../channels/records.ts'
import { agentError } from '../../errors/index.ts'

const amount = z.bigint().nonnegative()
const channel = z
  .string()
  .regex(/^0x[0-9a-fA-F]{40}\/\d+$/)
  .transform((name) => name as ChannelName)
const address = z
  .string()
  .regex(/^0x[0-9a-fA-F]{40}$/)
  .transform(parseAddress)
const nothing = z.strictObject({})

/** What each command takes. */
export const commands = {
  status: nothing,
  facts: nothing,
  books: nothing,
  open: z.strictObject({ receiver: address, deposit: amount, api: z.url().optional() }),
  topUp: z.strictObject({ channel, added: amount, api: z.url().optional() }),
  close: z.strictObject({
    channel,
    api: z.url().optional(),
    otherwise: z.literal('requestClose').optional(),
    balance: amount.optional(),
  }),
  settle: nothing,
  recover: z.strictObject({ from: z.int().nonnegative().optional() }),
  sweep: z.strictObject({ to: address }),
  pause: z.strictObject({ job: z.string().optional() }),
  resume: z.strictObject({ job: z.string().optional() }),
  runJob: z.strictObject({ job: z.string() }),
  flush: nothing,
  reload: nothing,
  probe: z.strictObject({ url: z.url({ protocol: /^https?$/ }) }),
} as const

export type CommandName = keyof typeof commands
export type CommandInput<Name extends CommandName> = z.output<(typeof commands)[Name]>

/** A request to buy, without its content, which is the HTTP request's. */
export const purchase = z.strictObject({
  url: z.url({ protocol: /^https?$/ }),
  method: z.string().optional(),
  headers: z.record(z.string(), z.string()).optional(),
  mostPrice: amount.optional(),
  authentic: z.literal('require').optional(),
  job: z.string().optional(),
  idempotencyKey: z.string().optional(),
  timeout: z.number().positive().optional(),
  dryRun: z.boolean().optional(),
})

export type PurchaseInput = z.input<typeof purchase>

/** Where the purchase stands in its request, and what is known of the answer in its response. */
export const factsHeader = 'x-uraiden-facts'

/** Facts of a purchase may hold long URLs and headers. */
export const mostHeaderBytes = 256 * 1024

export function encode(value: unknown): string {
  return JSON.stringify(value ?? null, (_, item) =>
    typeof item === 'bigint' ? { $bigint: item.toString() } : item,
  )
}

/** @throws UraidenError `control_malformed` */
export function decode(text: string): unknown {
  try {
    return JSON.parse(text, (_, item) =>
      typeof item?.$bigint === 'string' ? BigInt(item.$bigint) : item,
    )
  } catch (cause) {
    throw malformed('it is not JSON', cause)
  }
}

/** A header holds no line ends and no letters beyond Latin-1. */
export function encodeHeader(value: unknown): string {
  return Buffer.from(encode(value)).toString('base64url')
}

export function decodeHeader(text: string): unknown {
  return decode(Buffer.from(text, 'base64url').toString())
}

export function encodeError(error: unknown): string {
  const { code, message, hint } = isUraidenError(error)
    ? error
    : {
        code: 'internal',
        message: 'Something went wrong inside the agent.',
        hint: 'Look at its log.',
      }
  return encode({ error: { code, message, hint } })
}

const errorAnswer = z.object({
  error: z.object({ code: z.string(), message: z.string(), hint: z.string() }),
})

export function decodeError(text: string): UraidenError {
  const parsed = errorAnswer.safeParse(decode(text))
  return parsed.success ? new UraidenError(parsed.data.error) : malformed('it is no error')
}

export function malformed(why: string, cause?: unknown): UraidenError {
  return agentError({
    code: 'control_malformed',
    message: `What came over the control socket cannot be understood: ${why}.`,
    cause,
  })
}
