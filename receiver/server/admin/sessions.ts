// Who has logged in: random tokens that end some time after their last use (wire-protocol.md
// section 5). In memory only: after a restart one logs in again.
import { createHash, randomBytes } from 'node:crypto'

export interface SessionOptions {
  /** After its last use a session lives so long, in milliseconds. */
  readonly lifetime: number
  /** The oldest ends when there are more. */
  readonly most: number
  /** A clock in milliseconds. */
  readonly now: () => number
}

export interface Sessions {
  /** A new token. */
  readonly open: (user: string) => string
  /** Whose token it is; it lives on from now. */
  readonly use: (token: string) => string | undefined
  readonly close: (token: string) => void
  readonly size: () => number
}

interface Session {
  readonly user: string
  readonly lastUse: number
}

export function createSessions({ lifetime, most, now }: SessionOptions): Sessions {
  // By the hash of the token, least recently used first: looking one up takes the same time whatever
  // was guessed, and a memory dump shows none.
  const sessions = new Map<string, Session>()

  function forgetOld(): void {
    for (const [id, { lastUse }] of sessions) {
      if (sessions.size <= most && now() - lastUse <= lifetime) return
      sessions.delete(id)
    }
  }

  return {
    open: (user) => {
      const token = randomBytes(32).toString('base64url')
      sessions.set(idOf(token), { user, lastUse: now() })
      forgetOld()
      return token
    },
    use: (token) => {
      const id = idOf(token)
      const session = sessions.get(id)
      sessions.delete(id)
      if (session === undefined || now() - session.lastUse > lifetime) return undefined
      sessions.set(id, { ...session, lastUse: now() })
      return session.user
    },
    close: (token) => void sessions.delete(idOf(token)),
    size: () => sessions.size,
  }
}

function idOf(token: string): string {
  return createHash('sha256').update(token).digest('base64url')
}
