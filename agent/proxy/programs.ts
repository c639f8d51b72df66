// Which local program asks: by a token of its own, in Proxy-Authorization (RFC 9110 section 11.7).

import { createHash, timingSafeEqual } from 'node:crypto'
import type { TokenAmount } from '../../protocol/index.ts'
import { agentError } from '../errors/index.ts'

export interface Program {
  readonly name: string
  readonly token: string
  /** Most for a single request, in the smallest unit. */
  readonly mostPrice?: TokenAmount
  /** As `RequestOptions.mostPriceIn`. */
  readonly mostPriceIn?: string
}

/** What a program without a token may do. */
export type WithoutToken = 'pay' | 'refuse'

export interface Programs {
  /**
   * Undefined for a program without a token, where that is allowed.
   * @throws UraidenError `token_missing`, `token_wrong`
   */
  readonly identify: (authorization: string | undefined) => Program | undefined
}

export function createPrograms(programs: readonly Program[], without: WithoutToken): Programs {
  const known = programs.map((program) => ({ program, digest: digest(program.token) }))
  return {
    identify: (authorization) => {
      if (authorization === undefined) {
        if (without === 'pay') return undefined
        throw agentError({
          code: 'token_missing',
          message: 'Programs need a token here.',
        })
      }
      const { name, token } = credentials(authorization)
      const given = digest(token)
      // Every token is compared, so that the time says nothing about which one was near.
      const [match] = known.filter(
        ({ program, digest }) =>
          timingSafeEqual(digest, given) && (name === undefined || name === program.name),
      )
      if (match !== undefined) return match.program
      throw agentError({
        code: 'token_wrong',
        message: 'No program of that name has this token.',
      })
    },
  }
}

/** Basic as `name:token` (RFC 7617), or the token alone as Bearer (RFC 6750). */
function credentials(authorization: string): {
  readonly name: string | undefined
  readonly token: string
} {
  const [, scheme = '', value = ''] = /^\s*(\S+)\s+(\S+)\s*$/.exec(authorization) ?? []
  if (scheme.toLowerCase() === 'bearer') return { name: undefined, token: value }
  const text = scheme.toLowerCase() === 'basic' ? Buffer.from(value, 'base64').toString('utf8') : ''
  const colon = text.indexOf(':')
  return { name: text.slice(0, Math.max(0, colon)), token: text.slice(colon + 1) }
}

function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}
