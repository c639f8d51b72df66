// Who asks. Hashing a secret is slow on purpose, so it is done one at a time, with few waiting, and a
// secret that was right is remembered.
import { createHmac, randomBytes } from 'node:crypto'
import { createTurns } from '../../../platform/async/turns.ts'
import type { Credentials } from './credentials.ts'
import { hashSecret, isSecret, type SecretHash } from './secrets.ts'
import type { Sessions } from './sessions.ts'

export interface Identity {
  readonly name: string
  readonly by: 'password' | 'token' | 'session' | 'socket'
}

export type Authentication =
  | { readonly kind: 'known'; readonly identity: Identity }
  | { readonly kind: 'unknown' }
  /** Too many wrong ones from there, or too many at once. */
  | { readonly kind: 'later'; readonly seconds: number }

export interface AuthenticatorOptions {
  readonly users: ReadonlyMap<string, SecretHash>
  /** By the name before the token's first point. */
  readonly tokens: ReadonlyMap<string, SecretHash>
  readonly sessions: Sessions
}

export interface Authenticator {
  /**
   * `attempt` counts a guess before it is checked, so that many at once are counted too; it gives the
   * seconds to wait when there were too many.
   */
  readonly authenticate: (
    credentials: Credentials | undefined,
    attempt: () => Promise<number | undefined>,
  ) => Promise<Authentication>
}

/** Guesses that wait for their turn. */
const mostWaiting = 16

/** Names a secret in memory without being it. */
type Proof = string

export async function createAuthenticator(options: AuthenticatorOptions): Promise<Authenticator> {
  const { users, tokens, sessions } = options
  const nobody = await hashSecret(randomBytes(16).toString('hex'))
  const key = randomBytes(32)
  // No larger than the configuration: only what was right gets in.
  const proven = new Map<string, Proof>()
  let waiting = 0
  const turns = createTurns()

  function proofOf(secret: string): Proof {
    return createHmac('sha256', key).update(secret).digest('base64url')
  }

  async function inTurn(hash: SecretHash, secret: string): Promise<boolean> {
    waiting++
    try {
      return await turns.take(() => isSecret(hash, secret))
    } finally {
      waiting--
    }
  }

  async function check(
    identity: Identity,
    hash: SecretHash | undefined,
    secret: string,
    attempt: () => Promise<number | undefined>,
  ): Promise<Authentication> {
    const slot = `${identity.by} ${identity.name}`
    const proof = proofOf(secret)
    // Both are keyed hashes: what comparing them gives away says nothing about the secret.
    if (proven.get(slot) === proof) return { kind: 'known', identity }
    const seconds = await attempt()
    if (seconds !== undefined) return { kind: 'later', seconds }
    if (waiting >= mostWaiting) return { kind: 'later', seconds: 1 }
    // A name that is not there takes as long as a wrong password.
    const isRight = await inTurn(hash ?? nobody, secret)
    if (hash === undefined || !isRight) return { kind: 'unknown' }
    proven.set(slot, proof)
    return { kind: 'known', identity }
  }

  return {
    authenticate: async (credentials, attempt) => {
      if (credentials === undefined) return { kind: 'unknown' }
      if (credentials.kind === 'basic') {
        const { user, password } = credentials
        return check({ name: user, by: 'password' }, users.get(user), password, attempt)
      }
      const { token } = credentials
      const user = sessions.use(token)
      if (user !== undefined) return { kind: 'known', identity: { name: user, by: 'session' } }
      const [name = '', secret] = token.split('.', 2)
      // Of a session that has ended: no guess.
      if (secret === undefined) return { kind: 'unknown' }
      return check({ name, by: 'token' }, tokens.get(name), token, attempt)
    },
  }
}
