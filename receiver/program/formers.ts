// Receivers on the former contracts of a configuration, run beside the one on the newest.
import type { TokenFacts } from '../../platform/chain/index.ts'
import type { UraidenError } from '../../protocol/index.ts'
import { type StartedParts, startTogether } from '../core/parts.ts'
import type { ConnectedContract, Receiver } from '../core/receiver.ts'
import { receiverError } from '../errors/index.ts'
import { createAdmin } from '../server/admin/admin.ts'
import type { FormerServer } from '../server/former.ts'
import type { ReceiverSettings } from './settings.ts'

export interface Formers {
  readonly servers: readonly FormerServer[]
  readonly stop: () => Promise<void>
}

export interface FormerParts {
  readonly all: readonly ReceiverSettings[]
  /** That of the newest contract. */
  readonly token: TokenFacts
  readonly connect: (settings: ReceiverSettings) => Promise<ConnectedContract>
  /** The connection is the receiver's from here on. */
  readonly sell: (settings: ReceiverSettings, connected: ConnectedContract) => Promise<Receiver>
  readonly serve: (settings: ReceiverSettings, receiver: Receiver) => Promise<FormerServer>
}

/**
 * Each with its own state, and its own socket for commands.
 * @throws UraidenError `contract_token_differs`, and those of the parts
 */
export async function startFormers({ all, ...parts }: FormerParts): Promise<Formers> {
  return startTogether(async (started) => {
    const servers: FormerServer[] = []
    for (const settings of all) servers.push(await startFormer(settings, parts, started))
    return { servers }
  })
}

async function startFormer(
  settings: ReceiverSettings,
  { token, connect, sell, serve }: Omit<FormerParts, 'all'>,
  started: StartedParts,
): Promise<FormerServer> {
  const connected = await connect(settings)
  started.started(connected.chain.close)
  if (connected.token.address !== token.address) throw otherToken(connected, token)
  const receiver = started.add(await sell(settings, connected))
  const server = await serve(settings, receiver)
  started.started(() => server.server.close())
  if (settings.socket !== undefined) started.started(await administer(settings.socket, receiver))
  return server
}

/** By commands on this machine, as the newest is over its own. */
async function administer(socket: string, receiver: Receiver): Promise<() => Promise<void>> {
  const admin = await createAdmin({ users: {}, tokens: {}, attempts: 1, sessionLifetime: 1 })
  admin.attach({ receiver, prices: () => [], income: () => [], traffic: async () => [] })
  return admin.listenOnSocket(socket)
}

function otherToken({ chain, token }: ConnectedContract, newest: TokenFacts): UraidenError {
  return receiverError({
    code: 'contract_token_differs',
    message: `contracts: ${chain.contract} has the token ${token.address}, not ${newest.address}.`,
  })
}
