// The paywall for express: `app.use(expressPaywall(receiver, { price }))`, or before one route.
import type { Request, RequestHandler } from 'express'
import type { TokenAmount } from '../../protocol/index.ts'
import { createGate, type HttpPaywallOptions, type Till } from './node.ts'

declare global {
  namespace Express {
    interface Locals {
      /** Charges less than the price; the rest stays the sender's credit. */
      charge?: (amount: TokenAmount) => void
    }
  }
}

/** @throws UraidenError those of `createPricer` */
export function expressPaywall(till: Till, options: HttpPaywallOptions<Request>): RequestHandler {
  const gate = createGate(till, options)
  return (request, response, next) => {
    gate(request, response).then((charge) => {
      if (charge === undefined) return
      response.locals.charge = charge
      next()
    }, next)
  }
}
