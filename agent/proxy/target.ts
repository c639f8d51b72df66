// What a program asks the proxy for: a pure function of the request line (RFC 9112 section 3.2).

import type { UraidenError } from '../../protocol/index.ts'
import { agentError } from '../errors/index.ts'

/**
 * The URL of a request in absolute form. Every other form would make the proxy a web server, and any
 * page in a browser on this machine could then ask it for something.
 * @throws UraidenError `not_a_proxy_request`, `target_invalid`
 */
export function absoluteTarget(target: string): URL {
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(target)) {
    throw agentError({
      code: 'not_a_proxy_request',
      message: 'This is a proxy, not a web server: it takes requests for whole URLs only.',
    })
  }
  if (!URL.canParse(target)) throw invalid('it is not a URL')
  const url = new URL(target)
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw invalid('only http:// and https:// can be asked for')
  }
  if (url.username !== '' || url.password !== '') throw invalid('it holds a user name')
  if (url.hash !== '' || target.includes('#')) throw invalid('it holds a fragment')
  return url
}

export interface Authority {
  readonly host: string
  readonly port: number
}

/**
 * The host and port of CONNECT (RFC 9110 section 9.3.6).
 * @throws UraidenError `target_invalid`
 */
export function authorityTarget(target: string): Authority {
  const [, bracketed, plain, digits] =
    /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+)):([0-9]{1,5})$/i.exec(target) ?? []
  const host = bracketed ?? plain
  const port = Number(digits)
  if (host === undefined || port < 1 || port > 65_535) throw invalid('CONNECT needs host:port')
  return { host, port }
}

function invalid(what: string): UraidenError {
  return agentError({
    code: 'target_invalid',
    message: `The target of this request cannot be used: ${what}.`,
  })
}
