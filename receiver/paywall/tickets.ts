// Tickets: with one a browser itself loads, once, what its page has paid for with a bound request, whose
// signature no cookie could carry.
import { randomBytes } from 'node:crypto'
import { parseOrigin } from '../../protocol/bound/index.ts'
import { headerName } from '../../protocol/index.ts'
import type { BoundRequest } from '../channels/request-keys.ts'

export interface Tickets {
  /**
   * The `Set-Cookie` of a new ticket for the kept reply to this request; undefined when the request asks for
   * none, or may not have one: over plain HTTP everybody who listens would have it, too.
   */
  readonly issue: (request: BoundRequest, path: string) => string | undefined
  /** The request that it was given for; undefined of one that is unknown, too old or used. */
  readonly redeem: (ticket: string) => BoundRequest | undefined
}

interface Issued {
  readonly request: BoundRequest
  readonly expires: number
}

/** Seconds from the paid answer to the reload. */
const lifetime = 60
/** The oldest goes first. */
const mostTickets = 1024
/** What may stand in the attribute Path (RFC 6265 section 4.1.1). */
const cookiePath = /^\/[\w.~!$&'()*+,=:@%/-]*$/

/** @param now milliseconds that only grow */
export function createTickets(now: () => number = () => performance.now()): Tickets {
  const issued = new Map<string, Issued>()
  return {
    issue: (request, path) => {
      const { covered } = request
      if (covered(headerName.ticket) === undefined || !cookiePath.test(path)) return undefined
      if (!parseOrigin(covered('rdn-origin') ?? '').startsWith('https:')) return undefined
      const ticket = randomBytes(32).toString('base64url')
      issued.set(ticket, { request, expires: now() + lifetime * 1000 })
      for (const [each, { expires }] of issued) {
        if (issued.size <= mostTickets && expires > now()) break
        issued.delete(each)
      }
      return `${headerName.ticket}=${ticket}; Path=${path}; Max-Age=${lifetime}; Secure; HttpOnly; SameSite=Strict`
    },
    redeem: (ticket) => {
      const found = issued.get(ticket)
      issued.delete(ticket)
      return found !== undefined && found.expires > now() ? found.request : undefined
    },
  }
}
