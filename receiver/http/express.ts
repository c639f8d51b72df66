// The paywall for express: `app.use(expressPaywall(receiver, { price }))`, or before one route.
import type { Request, RequestHandler } from 'express'
import type { TokenAmount } from '../../protocol/index.ts'
import { createGate, type HttpPaywallOptions, type Seller } from './node.ts'

declare global {
  namespace Express {
    interface Locals {
      /** Charges less than the price; the rest stays the sender's credit. */
      charge?: (amount: TokenAmount) => void
    }
  }
}

/**
 * What comes after it is served when it is paid for; `price` is in the token's smallest unit, or
 * text with a unit.
 * @throws UraidenError those of `createPricer`
 * @example
 * app.get('/reading', expressPaywall(receiver, { price: '0.005 TKN' }), (request, response) => {
 *   response.json({ celsius: 21.4 })
 * })
 */
export function expressPaywall(
  seller: Seller,
  options: HttpPaywallOptions<Request>,
): RequestHandler {
  const gate = createGate(seller, options)
  return (request, response, next) => {
    gate(request, response).then((charge) => {
      if (charge === undefined) return
      response.locals.charge = charge
      next()
    }, next)
  }
}
