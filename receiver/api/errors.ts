// What the channel API answers when a request cannot be served: a body that names what was wrong.
import type { FastifyInstance } from 'fastify'
import { isUraidenError } from '../../protocol/index.ts'

/** The request was right, the time was not; everything else of ours is bad input. */
const statuses: { readonly [code: string]: number } = {
  chain_unavailable: 502,
  ether_missing: 503,
  fee_over_cap: 503,
  relay_off: 404,
  other_origin: 403,
}

const titles: { readonly [status: number]: string } = {
  400: 'Bad request',
  403: 'Forbidden',
  404: 'Not found',
  502: 'The Ethereum node does not answer',
  503: 'Not now',
}

export function answerErrors(app: FastifyInstance): void {
  app.setErrorHandler((error, _, reply) => {
    if (!isUraidenError(error)) return reply.send(error)
    const { code, message, hint } = error
    const status = statuses[code] ?? 400
    const body = { status, code, title: titles[status], detail: `${message} ${hint}` }
    return reply.code(status).send(body)
  })
}
