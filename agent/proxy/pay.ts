// A request to a receiver: the agent pays it, and the answer says what it cost.

import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import type { Exchange } from '../../platform/web/request.ts'
import { defined, type HeaderFields, smallest, type TokenUnit } from '../../protocol/index.ts'
import { type PriceLimit, parsePriceLimit } from '../budget/assets.ts'
import { agentError } from '../errors/index.ts'
import type { Agent, AgentStream, RequestOptions } from '../options.ts'
import type { PaymentFacts } from '../purchase/types.ts'
import {
  endToEnd,
  type Field,
  fieldsOf,
  ownPrefix,
  without,
  withoutOurSignature,
  withoutPayment,
  withVia,
} from './fields.ts'
import { flat, readBody } from './io.ts'
import type { Program } from './programs.ts'

/** Fields of answers that were paid, and the one that a program may send. Amounts in smallest units. */
const ownField = {
  price: 'Uraiden-Price',
  cost: 'Uraiden-Cost',
  channel: 'Uraiden-Channel',
  /** What the amounts are in, where it is not the channels' token. */
  asset: 'Uraiden-Asset',
  balance: 'Uraiden-Balance',
  key: 'Uraiden-Idempotency-Key',
  roundTrips: 'Uraiden-Round-Trips',
  mostPrice: 'Uraiden-Max-Price',
} as const

const programs = 'proxy/'

/** The job whose budget a program's requests count against. */
export function jobOfProgram(name: string): `proxy/${string}` {
  return `${programs}${name}`
}

/** The other way round; undefined for a real job. */
export function programOfJob(job: string): string | undefined {
  return job.startsWith(programs) ? job.slice(programs.length) : undefined
}

export interface PayOptions {
  readonly stream: Agent['stream']
  readonly token: TokenUnit
  /** What a price may be written in as well. */
  readonly assets?: readonly TokenUnit[] | undefined
  /** Most bytes of a request's content: it is kept until it is paid, because it may be sent twice. */
  readonly mostBody: number
  /** For a whole answer, in milliseconds. */
  readonly timeout: number
  /** `Set-Cookie` of receivers on plain HTTP. */
  readonly cookies: 'drop' | 'pass'
}

export interface Wanted {
  readonly url: URL
  /** The same as the program has it: by the receiver's name, perhaps. */
  readonly asked: URL
  /** Undefined without a token. */
  readonly program: Program | undefined
}

/** @throws UraidenError those of the agent's `stream`, `body_too_large`, `body_not_allowed` */
export async function payAndAnswer(
  { stream, token, assets, mostBody, timeout, cookies }: PayOptions,
  { url, asked, program }: Wanted,
  { request, response }: Exchange,
): Promise<void> {
  const { method = 'GET' } = request
  const fields = fieldsOf(request.rawHeaders)
  const body = await readBody(request, mostBody)
  const answer = await stream(url, {
    method,
    headers: requestHeaders(fields, request.httpVersion),
    signal: goneWith(response),
    timeout,
    content: 'asSent',
    ...content(method, body),
    ...keyOf(request),
    ...priceCap(program, request, { token, assets }),
    ...(program && { job: jobOfProgram(program.name) }),
  })
  // What is short is proven whole before a program sees anything of it.
  const whole = isShort(answer) ? Buffer.concat(await answer.body.toArray()) : undefined
  const received = Object.entries(answer.headers).flatMap(([name, value]) =>
    [value ?? []]
      .flat()
      .map((each): Field => [name, name === 'location' ? locationFor({ url, asked }, each) : each]),
  )
  const dropsCookies = cookies === 'drop' && url.protocol === 'http:'
  const kept = without(
    withoutOurSignature(endToEnd(received)),
    (name) => name.startsWith(ownPrefix) || (dropsCookies && name === 'set-cookie'),
  )
  response.writeHead(
    answer.status,
    flat([...withVia(kept, '1.1'), ...paidFields(answer.payment, answer.roundTrips)]),
  )
  if (whole !== undefined) return void response.end(whole)
  // An answer that breaks off must look broken off: the connection ends without the rest.
  await pipeline(answer.body, response)
}

/** A redirection inside the receiver, as the program can follow it through the proxy. */
function locationFor({ url, asked }: Pick<Wanted, 'url' | 'asked'>, location: string): string {
  if (asked.href === url.href || !URL.canParse(location, url.href)) return location
  const to = new URL(location, url)
  const isBelow = url.pathname.endsWith(asked.pathname)
  const base = isBelow ? url.pathname.slice(0, -asked.pathname.length) : ''
  if (to.origin !== url.origin || !to.pathname.startsWith(`${base}/`)) return to.href
  return `${asked.origin}${to.pathname.slice(base.length)}${to.search}${to.hash}`
}

/** Bytes of a body that is proven before it is handed on. */
const mostHeldBack = 65_536

/** A length that is handed on is that of a body with a digest; what has none goes on as it comes. */
function isShort({ payment, headers }: AgentStream): boolean {
  return payment?.authentic === true && Number(headers['content-length']) <= mostHeldBack
}

function requestHeaders(fields: readonly Field[], version: string): HeaderFields {
  const kept = without(
    withVia(withoutPayment(endToEnd(fields)), version),
    (name) => name === 'host' || name === 'content-length' || name === 'expect',
  )
  const headers: Record<string, string> = {}
  for (const [name, value] of kept) {
    const key = name.toLowerCase()
    headers[key] = key in headers ? `${headers[key]}, ${value}` : value
  }
  return headers
}

function content(method: string, body: Uint8Array): Pick<RequestOptions, 'body'> {
  if (method !== 'GET' && method !== 'HEAD') return { body }
  if (body.length === 0) return {}
  throw agentError({
    code: 'body_not_allowed',
    message: `A ${method} request with content means nothing.`,
  })
}

/** The IETF draft's header: the same key repeats a request whose answer was lost, without paying twice. */
function keyOf({ headers }: IncomingMessage): Pick<RequestOptions, 'idempotencyKey'> {
  const key = headers['idempotency-key']
  return typeof key === 'string' && key !== '' ? { idempotencyKey: key } : {}
}

/** The program's own cap, or what this request allows; the lower one. */
function priceCap(
  program: Program | undefined,
  { headers }: IncomingMessage,
  { token, assets }: Pick<PayOptions, 'token' | 'assets'>,
): Partial<PriceLimit> {
  const text = headers[ownField.mostPrice.toLowerCase()]
  const asked = typeof text === 'string' ? parsePriceLimit(text, token, assets) : undefined
  if (program?.mostPrice === undefined) return asked ?? {}
  const { mostPrice, mostPriceIn } = program
  const own = { mostPrice, ...defined({ mostPriceIn }) }
  if (asked === undefined) return own
  if (asked.mostPriceIn === mostPriceIn) {
    return { ...own, mostPrice: smallest(mostPrice, asked.mostPrice) }
  }
  throw agentError({
    code: 'wrong_token',
    message: `${ownField.mostPrice} and the program’s own limit are in different tokens.`,
    hint: `Nothing was paid. Write it in ${mostPriceIn ?? token.symbol}.`,
  })
}

function paidFields(payment: PaymentFacts | undefined, roundTrips: number): readonly Field[] {
  if (payment === undefined) return [[ownField.cost, '0']]
  const { price, cost, channel, balance, idempotencyKey, x402 } = payment
  const through: readonly Field[] =
    x402 === undefined
      ? [
          [ownField.channel, channel],
          [ownField.balance, `${balance}`],
        ]
      : [[ownField.asset, x402.unit.symbol]]
  return [
    [ownField.price, `${price}`],
    [ownField.cost, `${cost}`],
    ...through,
    [ownField.roundTrips, `${roundTrips}`],
    ...(idempotencyKey === undefined ? [] : [[ownField.key, idempotencyKey] as const]),
  ]
}

/** Aborted when the program hangs up before it has its answer. */
function goneWith(response: ServerResponse): AbortSignal {
  const controller = new AbortController()
  response.once('close', () => {
    if (!response.writableFinished) controller.abort()
  })
  return controller.signal
}
