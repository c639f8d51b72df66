// The paywall for fastify: a route with `config: { price }` is served when it is paid for.
import type { Socket } from 'node:net'
import { pipeline, type Readable, Transform } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import plugin from 'fastify-plugin'
import {
  type HeaderFields,
  isPlainTarget,
  type TokenAmount,
  type TokenUnit,
} from '../../protocol/index.ts'
import { paidCaching } from '../paywall/caching.ts'
import { targetOf } from '../paywall/dialect.ts'
import type { Door } from '../paywall/door.ts'
import type { SoldGoods } from '../paywall/page.ts'
import { type Admission, type Paid, type Paywall, priceAndAdmit } from '../paywall/paywall.ts'
import { createPricer, isComputed, type PriceRule, type Pricer } from '../paywall/price.ts'
import type { ReplyRoom } from '../paywall/replies.ts'
import { contentOf, enter, exchangeOf, paidOf } from './bound.ts'
import {
  type BodyCollector,
  collectBody,
  followAnswer,
  giveUp,
  giveUpLater,
  keptHeaders,
} from './kept-reply.ts'
import { inOrder } from './order.ts'
import { notPlain, noWorkers, sendProblem, workerHeader } from './problem.ts'
import { isWaiting } from './waiting.ts'

/** One price, one computed from the request, or a table by method and path. */
export type Price = PriceRule<FastifyRequest>

declare module 'fastify' {
  interface FastifyContextConfig {
    price?: Price
    /** What is sold, for whoever is told the price. */
    sold?: SoldGoods
    /** Where a browser finds what may be seen of this URL before it is paid for. */
    teaser?: (url: string) => string
    /** The route lets bound requests in itself. */
    bound?: 'by route'
  }
  interface FastifyInstance {
    /** What a proxy takes off the front of paths: goes before those that clients are sent to. */
    publicPath: string
  }
  interface FastifyRequest {
    /** What the paywall decided about this request; null on a route without a price. */
    admission: Admission | null
  }
  interface FastifyReply {
    /** Charges less than the price; the rest stays the sender's credit. */
    cost: (amount: TokenAmount) => FastifyReply
    chargedCost: TokenAmount | null
  }
}

export interface PaywallPluginOptions {
  readonly paywall: Paywall
  readonly token: TokenUnit
  /** For the routes of this scope that have none of their own. */
  readonly price?: Price
  /** Told of the connection that a request has paid on, before it is served. */
  readonly onPaid?: (socket: Socket) => void
}

async function register(app: FastifyInstance, options: PaywallPluginOptions): Promise<void> {
  const { paywall, token, price: scopePrice } = options
  const pricers = new Map<Price, Pricer<FastifyRequest>>()
  const learn = (price: Price | undefined) => {
    if (price !== undefined) pricers.set(price, createPricer(price, token))
  }
  app.decorate('publicPath', paywall.door.publicPath)
  app.decorateRequest('admission', null)
  app.decorateReply('chargedCost', null)
  app.decorateReply('cost', function (this: FastifyReply, amount: TokenAmount) {
    this.chargedCost = amount
    return this
  })

  app.addHook('onRequest', atTheDoor(paywall.door))

  // A price that cannot be read stops the server before it listens, not the first request.
  learn(scopePrice)
  app.addHook('onRoute', ({ config }) => learn(config?.price))

  const pricerOf = ({ routeOptions }: FastifyRequest) => {
    const { price = scopePrice } = routeOptions.config
    const pricer = price === undefined ? undefined : pricers.get(price)
    return pricer === undefined ? undefined : { pricer, isComputed: isComputed(price) }
  }

  app.addHook('onRequest', async (request, reply) => {
    const priced = pricerOf(request)
    if (priced === undefined) return
    if (workerHeader in request.headers) return sendProblem(reply, noWorkers)
    const refused = await refuseUnlessPlain(request, reply)
    // A price that is computed may need the content.
    if (refused || priced.isComputed || !isWaiting(request.raw)) return refused
    // Costs nothing unless the route takes its content.
    reply.chargedCost = 0n
    return admit({ ...options, pricer: priced.pricer }, request, reply)
  })

  // After validation: a request that the route would refuse anyway costs nothing.
  app.addHook('preHandler', async (request, reply) => {
    if (request.admission !== null) {
      reply.chargedCost = null
      return
    }
    const priced = pricerOf(request)
    return priced && admit({ ...options, pricer: priced.pricer }, request, reply)
  })

  app.addHook('onSend', async (request, reply, payload) => {
    const { admission } = request
    // Free for this one, not for whoever has the same URL from a cache.
    if (admission?.kind === 'free' && pricerOf(request)?.isComputed) keepToBuyer(reply)
    if (admission?.kind !== 'paid') return payload
    const ours = setMissing(reply, await settle(admission, reply))
    keepToBuyer(reply)
    const { keepReply } = admission
    if (keepReply === undefined) return payload
    return keep(paywall.replyRoom, keepReply, { reply, payload }).catch((error: unknown) => {
      // It comes here again, as an error that costs nothing.
      for (const name of ours) reply.removeHeader(name)
      throw error
    })
  })

  app.addHook('onResponse', async ({ admission }) => {
    if (admission?.kind === 'paid' && admission.keepReply) giveUp(admission)
  })
  // A client that hangs up has paid: what the route still answers is kept for its repetition.
  app.addHook('onRequestAbort', async ({ admission }) => {
    if (admission?.kind === 'paid') giveUpLater(admission)
  })
}

interface Admitting extends Pick<PaywallPluginOptions, 'paywall' | 'onPaid'> {
  readonly pricer: Pricer<FastifyRequest>
}

/** Resolves with the reply when it is answered already. */
async function admit(
  { paywall, onPaid, pricer }: Admitting,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply | undefined> {
  const { teaser, sold } = request.routeOptions.config
  const bound = exchangeOf(request.raw)?.request
  const content = contentOf(request.raw)
  const view = { request, bound, content, sold, teaser: teaser?.(request.url) }
  const decide = () => priceAndAdmit(paywall, { pricer, ...view })
  const decided = await inOrder(request.raw.socket, decide)
  const admission = decided.kind === 'paid' ? paidOf(request.raw, decided, paywall.door) : decided
  request.admission = admission
  if ('answerEnded' in admission && admission.answerEnded) {
    followAnswer(reply.raw, admission.answerEnded)
  }
  if (admission.kind === 'paid') onPaid?.(request.raw.socket)
  if (admission.kind === 'repeated') {
    const { status, headers, body } = admission.reply
    for (const [name, value] of Object.entries(headers)) reply.header(name, value)
    keepToBuyer(reply)
    return reply.code(status).send(body)
  }
  if (admission.kind !== 'refused') return undefined
  for (const cookie of admission.cookies) reply.header('set-cookie', cookie)
  // Of bytes fastify leaves the type as it is: without a charset, as the original's.
  return reply.code(admission.status).headers(admission.headers).send(Buffer.from(admission.body))
}

/** Before anything of the request is read. */
export function atTheDoor(door: Door) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    if (request.routeOptions.config.bound === 'by route') return undefined
    const arrival = { request: request.raw, response: reply.raw, url: request.originalUrl }
    const problem = await enter(door, arrival)
    return problem && sendProblem(reply, problem)
  }
}

/** A hook at the door, before anything decides on the request. */
export async function refuseUnlessPlain(
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply | undefined> {
  return isPlainTarget(targetOf(request)) ? undefined : sendProblem(reply, notPlain)
}

/** What the resource turned out to cost: nothing when it failed. */
async function settle(admission: Paid, reply: FastifyReply): Promise<HeaderFields> {
  if (reply.statusCode >= 500) return admission.chargeOnly(0n)
  return reply.chargedCost === null ? admission.headers : admission.chargeOnly(reply.chargedCost)
}

async function keep(
  room: ReplyRoom,
  keepReply: NonNullable<Paid['keepReply']>,
  { reply, payload }: { readonly reply: FastifyReply; readonly payload: unknown },
): Promise<unknown> {
  // Nobody reads the content of an answer to HEAD.
  const isHead = reply.request.method === 'HEAD'
  const done = (body?: Uint8Array) =>
    keepReply(body && { status: reply.statusCode, headers: keptHeaders(reply.getHeaders()), body })
  if (reply.statusCode >= 500) await done()
  else if (isHead) await done(Buffer.of())
  else if (isStream(payload)) return passing(payload, collecting(collectBody(room), done))
  else await done(Buffer.from((payload ?? '') as string | Uint8Array))
  return payload
}

/** Passes a stream on and hands over all of it, or nothing if there is no room for it. */
function collecting(body: BodyCollector, done: (body?: Uint8Array) => Promise<void>) {
  let whole = false
  return new Transform({
    transform: (chunk, _, next) => {
      body.add(Buffer.from(chunk))
      next(null, chunk)
    },
    flush: (next) => {
      whole = true
      done(body.all()).then(() => next(), next)
    },
    // It broke off: whoever waits for this reply asks for itself.
    destroy: (error, next) => {
      body.all()
      Promise.resolve(whole ? undefined : done()).then(
        () => next(error),
        () => next(error),
      )
    },
  })
}

/** Unlike `pipe` it also passes on that the source broke off. */
function passing(from: Readable, through: Transform): Transform {
  pipeline(from, through, () => undefined)
  return through
}

function isStream(payload: unknown): payload is Readable {
  return typeof (payload as Readable | null)?.pipe === 'function'
}

function keepToBuyer(reply: FastifyReply): void {
  reply.header('cache-control', paidCaching(reply.getHeader('cache-control')))
}

/** Headers that the resource sets itself win over ours. Names of those that were set. */
function setMissing(reply: FastifyReply, headers: HeaderFields): readonly string[] {
  const missing = Object.entries(headers).filter(([name]) => !reply.hasHeader(name))
  for (const [name, value] of missing) reply.header(name, value)
  return missing.map(([name]) => name)
}

/**
 * Registered before the routes, it serves those with a price when they are paid for.
 * @throws UraidenError those of `createPricer`, while routes are added
 * @example
 * const { paywall, token } = receiver
 * await app.register(fastifyPaywall, { paywall, token })
 * app.get('/reading', { config: { price: '0.005 TKN' } }, async () => ({ celsius: 21.4 }))
 */
export const fastifyPaywall = plugin(register, { fastify: '5.x', name: 'uraiden-paywall' })
