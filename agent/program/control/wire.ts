// How command line and daemon talk: JSON over HTTP on a Unix socket, amounts as `{"$bigint": "5"}`.

import {
  amount,
  exactly,
  flag,
  ifFits,
  integer,
  Misshapen,
  mapped,
  object,
  oneOf,
  optional,
  positive,
  recordOf,
  type Shape,
  type Shaped,
  text,
  urlText,
} from '../../../platform/shapes/shape.ts'
import { defined, isUraidenError, parseAddress, UraidenError } from '../../../protocol/index.ts'
import type { ChannelName } from '../../channels/records.ts'
import { agentError } from '../../errors/index.ts'

const channel = mapped(text(/^0x[0-9a-fA-F]{40}\/\d+$/), (name) => name as ChannelName)
const address = mapped(text(/^0x[0-9a-fA-F]{40}$/), parseAddress)
const api = optional(urlText())
const nothing = exactly({})
const aJob = exactly({ job: optional(text()) })

/** What each command takes. */
export const commands = {
  status: nothing,
  configuration: nothing,
  facts: nothing,
  books: nothing,
  hours: exactly({ since: optional(integer()) }),
  open: exactly({ receiver: address, deposit: amount, api }),
  topUp: exactly({ channel, added: amount, api }),
  close: exactly({
    channel,
    api,
    otherwise: optional(oneOf('requestClose')),
    balance: optional(amount),
  }),
  settle: nothing,
  recover: exactly({ from: optional(integer()) }),
  sweep: exactly({ to: address }),
  pause: aJob,
  resume: aJob,
  runJob: exactly({ job: text() }),
  flush: nothing,
  reload: nothing,
  probe: exactly({ url: urlText('http', 'https') }),
} as const

export type CommandName = keyof typeof commands
export type CommandInput<Name extends CommandName> = Shaped<(typeof commands)[Name]>

/** A request to buy, without its content, which is the HTTP request's. */
export const purchase = exactly({
  url: urlText('http', 'https'),
  method: optional(text()),
  headers: optional(recordOf(text())),
  mostPrice: optional(amount),
  mostPriceIn: optional(text()),
  authentic: optional(oneOf('require')),
  job: optional(text()),
  idempotencyKey: optional(text()),
  timeout: optional(positive),
  dryRun: optional(flag),
})

export type PurchaseInput = Shaped<typeof purchase>

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
  if (isUraidenError(error)) {
    const { code, message, hint, details } = error
    return encode({ error: { code, message, hint, details } })
  }
  const message = 'Something went wrong inside the agent.'
  return encode({ error: { code: 'internal', message, hint: 'Look at its log.' } })
}

const errorAnswer = object({
  error: object({
    code: text(),
    message: text(),
    hint: text(),
    details: optional(recordOf(text())),
  }),
})

export function decodeError(answer: string): UraidenError {
  const said = ifFits(errorAnswer, decode(answer))
  return said === undefined ? malformed('it is no error') : new UraidenError(defined(said.error))
}

/** @throws UraidenError `control_malformed` */
export function shaped<Value>(shape: Shape<Value>, value: unknown): Value {
  try {
    return shape(value)
  } catch (error) {
    if (error instanceof Misshapen) throw malformed(error.message)
    throw error
  }
}

export function malformed(why: string, cause?: unknown): UraidenError {
  return agentError({
    code: 'control_malformed',
    message: `What came over the control socket cannot be understood: ${why}.`,
    cause,
  })
}
