// Requests that a page of somebody else's has a browser send (platform/http/hosts.ts).
import type { FastifyReply, FastifyRequest } from 'fastify'
import { createHosts, type OwnHosts } from '../../platform/http/hosts.ts'
import { shorten } from '../../protocol/index.ts'
import { type Problem, sendProblem } from './problem.ts'

type Hook = (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply | undefined>

/** For a server that answers to its names only, whatever is asked for. */
export function underItsNames(names: readonly string[]): Hook {
  const { isOurs } = createHosts({ names })
  return async ({ headers: { host } }, reply) =>
    isOurs(host) ? undefined : sendProblem(reply, hostUnknown(host))
}

export interface OwnPages {
  /** Besides those of the machine. */
  readonly names: readonly string[]
  /** Of pages that may do so from elsewhere. */
  readonly crossOrigins?: readonly string[] | undefined
}

/**
 * For what changes something: no page but our own, and those that are configured, has a browser ask for it.
 * Whoever is no browser may come under any name.
 */
export function forOwnPages({ names, crossOrigins = [] }: OwnPages): Hook {
  const hosts = createHosts({ names })
  const others = new Set(crossOrigins)
  return async (request, reply) => {
    if (others.has(request.headers.origin ?? '')) return
    const problem = problemOf(hosts, request)
    return problem && sendProblem(reply, problem)
  }
}

const safe: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS'])

function problemOf(
  { isOurs, isOurPage }: OwnHosts,
  { method, headers }: FastifyRequest,
): Problem | undefined {
  const { host, origin } = headers
  // Browsers send it over https and to localhost, and no page can change it.
  const site = headers['sec-fetch-site']
  if (safe.has(method) || (origin === undefined && site === undefined)) return undefined
  if (!isOurs(host)) return hostUnknown(host)
  const isOwn = site === 'same-origin' || site === 'none'
  if (isOwn || (origin !== undefined && isOurPage(origin, host))) return undefined
  return otherSite
}

/** RFC 9110 section 15.5.20. */
function hostUnknown(host = ''): Problem {
  return {
    status: 421,
    code: 'host_unknown',
    title: 'This receiver has another name',
    detail: `Host is ${JSON.stringify(shorten(host))}. It has to be an address, localhost, a name that ends in .local, this machine’s name, or one of hosts in the receiver’s configuration.`,
  }
}

const otherSite: Problem = {
  status: 403,
  code: 'other_site',
  title: 'A page of another site asked for this',
  detail:
    'If it is a page of this receiver behind a proxy that changes Host, add its name to hosts in the receiver’s configuration.',
}
