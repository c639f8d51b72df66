// Administration of one receiver, as its configuration wants it: over the network with a login, and
// over a Unix socket for commands on the same machine.
import { type FastifyInstance, fastify } from 'fastify'
import { listenOnSocket } from '../../../platform/system/local-socket.ts'
import { gatewayPath, type Receiver } from '../../core/receiver.ts'
import type { IncomeHistory } from '../../income/history.ts'
import type { Traffic } from '../../income/traffic-recorder.ts'
import { answerErrors } from '../api/errors.ts'
import { createAuthenticator } from './authenticator.ts'
import type { BuyerNames } from './buyers.ts'
import type { AdminConfig } from './config.ts'
import { type Gate, loginGate, socketGate } from './gate.ts'
import type { ListedPrice } from './prices.ts'
import { adminRoutes } from './routes.ts'
import { createSessions } from './sessions.ts'

/** What is administered. */
export interface Administered {
  readonly receiver: Receiver
  /** What is sold at the moment of asking. */
  readonly prices: () => readonly ListedPrice[]
  readonly income: () => IncomeHistory
  readonly traffic: Traffic['counts']
  readonly buyers?: BuyerNames | undefined
}

export interface Admin {
  /** What it is about; once, before all others. */
  readonly attach: (administered: Administered) => void
  /** Adds the routes, which ask for a login, to an API of their own. */
  readonly register: (api: FastifyInstance) => Promise<void>
  /**
   * Serves the same under the same paths on a Unix socket of mode 0600, without a login.
   * Resolves with what stops it.
   * @throws UraidenError `socket_in_use`, `socket_unusable`
   */
  readonly listenOnSocket: (path: string) => Promise<() => Promise<void>>
}

/** Logins at the same time. */
const mostSessions = 1000

export async function createAdmin(
  config: Pick<AdminConfig, 'users' | 'tokens' | 'attempts' | 'sessionLifetime'>,
  now: () => number = () => performance.now(),
): Promise<Admin> {
  const { users, tokens, attempts, sessionLifetime } = config
  const sessions = createSessions({ lifetime: sessionLifetime * 1000, most: mostSessions, now })
  const authenticator = await createAuthenticator({
    users: new Map(Object.entries(users)),
    tokens: new Map(Object.entries(tokens)),
    sessions,
  })
  let administered: Administered | undefined
  const register = (api: FastifyInstance, gate: Gate) => {
    if (administered === undefined) throw new Error('there is nothing to administer yet')
    return adminRoutes(api, { ...administered, gate, sessions })
  }
  return {
    attach: (given) => {
      administered = given
    },
    register: (api) => register(api, loginGate({ authenticator, attempts })),
    listenOnSocket: async (path) => {
      const app = fastify()
      await app.register(
        async (api) => {
          answerErrors(api)
          await register(api, socketGate)
        },
        { prefix: gatewayPath },
      )
      await app.ready()
      await listenOnSocket(app.server, path, 'owner')
      return async () => {
        app.server.closeAllConnections()
        await app.close()
      }
    },
  }
}
