// Who asks. A secret that was right is remembered; others are guesses, see guesses.ts.
import { createHmac, randomBytes } from 'node:crypto'
import type { Credentials } from './credentials.ts'
import { createGuesses } from './guesses.ts'
import { hashSecret, type SecretHash } from './secrets.ts'
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
  readonly authenticate: (
    credentials: Credentials | undefined,
    asker: Asker,
  ) => Promise<Authentication>
}

export interface Asker {
  /** The address of the other side. */
  readonly from: string
  /**
   * Counts a guess before it is checked, so that many at once are counted too; gives the seconds to wait
   * when there were too many.
   */
  readonly attempt: () => Promise<number | undefined>
}

/** A claim to be somebody, with what is held against it. */
interface Claim {
  readonly identity: Identity
  readonly secret: string
  /** Undefined for a name that is not there. */
  readonly hash: SecretHash | undefined
}

export async function createAuthenticator(options: AuthenticatorOptions): Promise<Authenticator> {
  const { users, tokens, sessions } = options
  const nobody = await hashSecret(randomBytes(16).toString('hex'))
  const proven = createProven()
  const guesses = createGuesses()

  async function check(
    { identity, secret, hash }: Claim,
    { from, attempt }: Asker,
  ): Promise<Authentication> {
    if (proven.has(identity, secret)) return { kind: 'known', identity }
    const seconds = await attempt()
    if (seconds !== undefined) return { kind: 'later', seconds }
    // A name that is not there takes as long as a wrong password.
    const isRight = await guesses.check({ from, secret, hash: hash ?? nobody })
    if (isRight === undefined) return { kind: 'later', seconds: 1 }
    if (hash === undefined || !isRight) return { kind: 'unknown' }
    proven.add(identity, secret)
    return { kind: 'known', identity }
  }

  return {
    authenticate: async (credentials, asker) => {
      if (credentials === undefined) return { kind: 'unknown' }
      if (credentials.kind === 'basic') {
        const { user, password: secret } = credentials
        const identity = { name: user, by: 'password' } as const
        return check({ identity, secret, hash: users.get(user) }, asker)
      }
      const { token } = credentials
      const user = sessions.use(token)
      if (user !== undefined) return { kind: 'known', identity: { name: user, by: 'session' } }
      const [name = '', secret] = token.split('.', 2)
      // Of a session that has ended: no guess.
      if (secret === undefined) return { kind: 'unknown' }
      const identity = { name, by: 'token' } as const
      return check({ identity, secret: token, hash: tokens.get(name) }, asker)
    },
  }
}

/** Secrets that were right, by keyed hashes. No more than the configuration has: only those get in. */
function createProven() {
  const key = randomBytes(32)
  const proven = new Map<string, string>()
  const slotOf = ({ by, name }: Identity) => `${by} ${name}`
  const hashOf = (secret: string) => createHmac('sha256', key).update(secret).digest('base64url')
  return {
    // Both are keyed hashes: what comparing them gives away says nothing about the secret.
    has: (identity: Identity, secret: string) => proven.get(slotOf(identity)) === hashOf(secret),
    add: (identity: Identity, secret: string) => {
      proven.set(slotOf(identity), hashOf(secret))
    },
  }
}
