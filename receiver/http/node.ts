// The paywall for node:http: wraps a handler that is served when it is paid for.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { isPlainTarget, type TokenAmount, type TokenUnit } from '../../protocol/index.ts'
import type { Reply } from '../channels/store.ts'
import { type ServerRequest, targetOf } from '../paywall/dialect.ts'
import { type Paywall, priceAndAdmit, type Refused } from '../paywall/paywall.ts'
import { createPricer, isComputed, type PriceRule } from '../paywall/price.ts'
import { contentOf, enter, exchangeOf, paidOf } from './bound.ts'
import { keepToBuyer } from './head.ts'
import { followAnswer } from './kept-reply.ts'
import { inOrder } from './order.ts'
import {
  notPlain,
  noWorkers,
  type Problem,
  problemBody,
  problemHeaders,
  workerHeader,
} from './problem.ts'
import { guardResponse } from './response.ts'

/** What of a receiver the middleware needs. */
export interface Seller {
  readonly paywall: Paywall
  readonly token: TokenUnit
}

export interface HttpPaywallOptions<Request> {
  readonly price: PriceRule<Request>
}

/** Charges less than the price; the rest stays the sender's credit. */
export type ChargeCost = (amount: TokenAmount) => void

/** Resolves with how to charge less when the request is to be served, undefined when it is answered. */
export type Gate<Request extends IncomingMessage> = (
  request: Request,
  response: ServerResponse,
) => Promise<ChargeCost | undefined>

const chargesNothing: ChargeCost = () => undefined

/** @throws UraidenError those of `createPricer` */
export function createGate<Request extends IncomingMessage>(
  { paywall, token }: Seller,
  { price }: HttpPaywallOptions<Request>,
): Gate<Request> {
  const pricer = createPricer(price, token)
  return async (request, response) => {
    const { originalUrl } = request as ServerRequest
    const url = originalUrl ?? request.url ?? '/'
    const problem = await enter(paywall.door, { request, response, url })
    if (problem !== undefined) {
      answerProblem(response, problem)
      return undefined
    }
    if (refuseAtDoor(request, response)) return undefined
    const bound = exchangeOf(request)?.request
    const content = contentOf(request)
    const decide = () => priceAndAdmit(paywall, { pricer, request, bound, content })
    const admission = await inOrder(request.socket, decide)
    switch (admission.kind) {
      case 'free':
        // For this one, not for whoever has the same URL from a cache.
        if (isComputed(price)) keepToBuyer(response)
        return chargesNothing
      case 'paid':
        if (admission.answerEnded) followAnswer(response, admission.answerEnded)
        return guardResponse(response, paidOf(request, admission, paywall.door), paywall.replyRoom)
          .cost
      case 'repeated':
        if (admission.answerEnded) followAnswer(response, admission.answerEnded)
        repeat(response, admission.reply)
        return undefined
      case 'refused':
        refuse(response, admission)
        return undefined
    }
  }
}

export type PaidHandler = (
  request: IncomingMessage,
  response: ServerResponse,
  charge: ChargeCost,
) => void | Promise<void>

/**
 * A request listener for `http.createServer`. A handler that throws costs nothing.
 * @throws UraidenError those of `createPricer`
 * @example
 * createServer(
 *   httpPaywall(receiver, { price: '0.005 TKN' }, (request, response) => {
 *     response.end('21.4')
 *   }),
 * ).listen(5000)
 */
export function httpPaywall(
  seller: Seller,
  options: HttpPaywallOptions<IncomingMessage>,
  handler: PaidHandler,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const gate = createGate(seller, options)
  return async (request, response) => {
    try {
      const charge = await gate(request, response)
      if (charge !== undefined) await handler(request, response, charge)
    } catch {
      fail(response)
    }
  }
}

/** An answer that has begun can only be broken off. */
function fail(response: ServerResponse): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  response.statusCode = 500
  response.end()
}

function answerProblem(response: ServerResponse, problem: Problem): void {
  response.writeHead(problem.status, problemHeaders).end(problemBody(problem))
}

/** At the door, before anything decides on the request; true when it is answered. */
function refuseAtDoor(request: ServerRequest, response: ServerResponse): boolean {
  const forWorker = workerHeader in request.headers
  if (!forWorker && isPlainTarget(targetOf(request))) return false
  answerProblem(response, forWorker ? noWorkers : notPlain)
  return true
}

function refuse(response: ServerResponse, { status, headers, cookies, body }: Refused): void {
  if (cookies.length > 0) response.setHeader('set-cookie', cookies)
  response.writeHead(status, headers).end(body)
}

function repeat(response: ServerResponse, { status, headers, body }: Reply): void {
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
  keepToBuyer(response)
  response.statusCode = status
  response.end(body)
}
