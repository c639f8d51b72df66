// The paywall for fastify: a route with `config: { price }` is served when it is paid for.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import plugin from 'fastify-plugin'
import type { HeaderFields, TokenAmount, TokenUnit } from '../../protocol/index.ts'
import { parseAmount } from '../../protocol/index.ts'
import type { Admission, Paywall } from '../paywall/paywall.ts'
import { parseCookies } from './cookies.ts'

/**
 * In the token's smallest unit as bigint, as text with a unit (`0.005 TKN`), or computed from the
 * request. 0 is free.
 */
export type Price = TokenAmount | string | ((request: FastifyRequest) => TokenAmount)

declare module 'fastify' {
  interface FastifyContextConfig {
    price?: Price
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
}

async function register(app: FastifyInstance, options: PaywallPluginOptions): Promise<void> {
  const { paywall, token } = options
  app.decorateRequest('admission', null)
  app.decorateReply('chargedCost', null)
  app.decorateReply('cost', function (this: FastifyReply, amount: TokenAmount) {
    this.chargedCost = amount
    return this
  })

  // A price that cannot be read stops the server before it listens, not the first request.
  app.addHook('onRoute', ({ config }) => {
    if (typeof config?.price === 'string') config.price = parseAmount(config.price, token)
  })

  // After validation: a request that the route would refuse anyway costs nothing.
  app.addHook('preHandler', async (request, reply) => {
    const { price } = request.routeOptions.config
    if (price === undefined) return
    const admission = await paywall.admit(viewOf(request), amountOf(price, request))
    request.admission = admission
    if (admission.kind !== 'refused') return
    return reply.code(admission.status).headers(admission.headers).send(admission.body)
  })

  app.addHook('onSend', async ({ admission }, reply) => {
    if (admission?.kind !== 'paid') return
    setMissing(reply, await settle(admission, reply))
  })
}

/** What the resource turned out to cost: nothing when it failed. */
async function settle(
  admission: Admission & { readonly kind: 'paid' },
  reply: FastifyReply,
): Promise<HeaderFields> {
  if (reply.statusCode >= 500) return admission.chargeOnly(0n)
  return reply.chargedCost === null ? admission.headers : admission.chargeOnly(reply.chargedCost)
}

/** Headers that the resource sets itself win over ours. */
function setMissing(reply: FastifyReply, headers: HeaderFields): void {
  for (const [name, value] of Object.entries(headers)) {
    if (!reply.hasHeader(name)) reply.header(name, value)
  }
}

function amountOf(price: Price, request: FastifyRequest): TokenAmount {
  if (typeof price === 'function') return price(request)
  if (typeof price === 'bigint') return price
  throw new TypeError('a price in text is read when its route is made')
}

function viewOf(request: FastifyRequest) {
  const cookies = parseCookies(request.headers.cookie ?? '')
  return {
    header: (name: string) => {
      const value = request.headers[name.toLowerCase()]
      return Array.isArray(value) ? value.join(', ') : value
    },
    cookie: (name: string) => cookies.get(name),
  }
}

/** Register with `await app.register(fastifyPaywall, { paywall, token })`, before the routes. */
export const fastifyPaywall = plugin(register, { fastify: '5.x', name: 'uraiden-paywall' })
