// Lets only those through who may administer the receiver.

import rateLimit from '@fastify/rate-limit'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { attemptStore } from '../../../platform/http/attempts.ts'
import { isSameOrigin } from '../../../platform/web/origin.ts'
import { receiverError } from '../../errors/index.ts'
import { sendProblem } from '../../http/problem.ts'
import type { Authenticator, Identity } from './authenticator.ts'
import { parseCredentials } from './credentials.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who administers; null on routes that anybody may ask. */
    admin: Identity | null
  }
}

/** All routes of the scope ask for it. */
export type Gate = (app: FastifyInstance) => Promise<void>

export interface GateOptions {
  readonly authenticator: Authenticator
  /** Guesses that one address has in ten minutes. */
  readonly attempts: number
}

/** In milliseconds. */
const attemptWindow = 600_000

/** Addresses whose guesses are counted; the ones not seen for longest are forgotten. */
const mostAddresses = 5000

/** For the network: password or token. */
export function loginGate({ authenticator, attempts }: GateOptions): Gate {
  return async (app) => {
    await app.register(rateLimit, {
      global: false,
      max: attempts,
      timeWindow: attemptWindow,
      store: attemptStore(mostAddresses),
    })
    const count = app.createRateLimit()
    app.decorateRequest('admin', null)
    app.addHook('onRequest', async (request, reply) => {
      const { headers } = request
      const attempt = async () => {
        const found = await count(request)
        return 'isExceeded' in found && found.isExceeded ? found.ttlInSeconds : undefined
      }
      const asked = await authenticator.authenticate(parseCredentials(headers.authorization), {
        from: request.ip,
        attempt,
      })
      if (asked.kind === 'later') return later(reply, asked.seconds)
      if (asked.kind === 'unknown') return notLoggedIn(request, reply)
      checkOrigin(request, asked.identity)
      request.admin = asked.identity
    })
  }
}

/** For a Unix socket: its file mode says who may connect. */
export const socketGate: Gate = async (app) => {
  app.decorateRequest('admin', null)
  app.addHook('onRequest', async (request) => {
    request.admin = { name: 'socket', by: 'socket' }
  })
}

/** A browser adds a Basic login by itself; a token, only the page that has it. */
function checkOrigin(request: FastifyRequest, { by }: Identity): void {
  if (by !== 'password' || isFromOurs(request)) return
  throw receiverError({
    code: 'other_origin',
    message: 'A page of another site asked for this.',
  })
}

function isFromOurs({ headers }: FastifyRequest): boolean {
  const { 'sec-fetch-site': site, origin, host } = headers
  return isSameOrigin({ site: site === undefined ? undefined : String(site), origin, host })
}

function notLoggedIn(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  // A browser shows its own dialogue for Basic, over whatever page has asked; a page that asks with a token
  // has one itself.
  const asksByToken = /^bearer /i.test(request.headers.authorization ?? '')
  const scheme = asksByToken || !isFromOurs(request) ? 'Bearer' : 'Basic'
  const charset = scheme === 'Basic' ? ', charset="UTF-8"' : ''
  reply.header('www-authenticate', `${scheme} realm="uraiden-receiver"${charset}`)
  return sendProblem(reply, {
    status: 401,
    code: 'not_logged_in',
    title: 'Not logged in',
    detail: 'Give a user and password, or a token, that the receiver’s configuration knows.',
  })
}

function later(reply: FastifyReply, seconds: number): FastifyReply {
  return sendProblem(reply.header('retry-after', `${seconds}`), {
    status: 429,
    code: 'too_many_attempts',
    title: 'Too many attempts',
    detail: `Try again in ${seconds} s.`,
  })
}
