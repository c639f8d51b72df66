// What the channel API answers when a request cannot be served: a body that names what was wrong.

import type { FastifyError, FastifyInstance, FastifyReply } from 'fastify'
import { platformErrors } from '../../../platform/errors/index.ts'
import { type ErrorCatalogue, protocolErrors } from '../../../protocol/errors.ts'
import { isUraidenError, type UraidenError } from '../../../protocol/index.ts'
import { receiverErrors } from '../../errors/index.ts'
import { sendProblem } from '../../http/problem.ts'

const catalogue: ErrorCatalogue = { ...protocolErrors, ...platformErrors, ...receiverErrors }

const titles: { readonly [status: number]: string } = {
  400: 'Bad request',
  403: 'Forbidden',
  404: 'Not found',
  409: 'Not now',
  413: 'Too large',
  415: 'Unsupported media type',
  429: 'Too many requests',
  502: 'The Ethereum node does not answer',
  503: 'Not now',
  504: 'Not confirmed in time',
}

/** Also for what fastify itself finds wrong with a request. */
export function answerErrors(app: FastifyInstance): void {
  app.setErrorHandler((error, _, reply) => {
    if (isUraidenError(error)) return sendError(reply, error)
    const { statusCode: status = 500, message } = error as Partial<FastifyError>
    // A defect of ours: for the log, and for whoever answers for the whole server.
    if (status >= 500) throw error
    const title = titles[status] ?? 'Bad request'
    return sendProblem(reply, { status, code: 'request_malformed', title, detail: `${message}` })
  })
  app.setNotFoundHandler((request, reply) =>
    sendProblem(reply, {
      status: 404,
      code: 'no_such_route',
      title: 'Not found',
      detail: `There is no ${request.method} of this path; the whole API is in openapi.json.`,
    }),
  )
}

function sendError(reply: FastifyReply, { code, message, hint }: UraidenError): FastifyReply {
  const status = catalogue[code]?.status ?? 400
  const title = titles[status] ?? 'Bad request'
  return sendProblem(reply, { status, code, title, detail: `${message} ${hint}` })
}
