// The administrator's part of the channel API (wire-protocol.md section 5).
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Address } from '../../../protocol/index.ts'
import type { Channel } from '../../channels/records.ts'
import type { Receiver } from '../../core/receiver.ts'
import type { IncomeHistory } from '../../income/history.ts'
import type { Traffic } from '../../income/traffic-recorder.ts'
import { listChannels, nextLink } from '../api/listing.ts'
import { type ChannelPath, channelUnknown, parsePath } from '../api/paths.ts'
import { backupOf } from '../backup/backup.ts'
import type { BuyerNames } from './buyers.ts'
import { collectingRoutes } from './collecting.ts'
import { parseCredentials } from './credentials.ts'
import { eventRoutes } from './events.ts'
import type { Gate } from './gate.ts'
import type { ListedPrice } from './prices.ts'
import type { Sessions } from './sessions.ts'
import { parseTrafficQuery, trafficView } from './traffic.ts'
import { adminChannel, adminStats } from './views.ts'

export interface AdminRoutes {
  readonly receiver: Receiver
  readonly gate: Gate
  readonly sessions: Sessions
  readonly prices: () => readonly ListedPrice[]
  readonly income: () => IncomeHistory
  readonly traffic: Traffic['counts']
  readonly buyers?: BuyerNames | undefined
}

/** Registers in a scope of its own: nothing else asks for a login. */
export async function adminRoutes(app: FastifyInstance, routes: AdminRoutes): Promise<void> {
  await app.register(async (scope) => {
    await routes.gate(scope)
    scope.addHook('onSend', async (_, reply) => {
      reply.header('cache-control', 'no-store')
    })
    loginRoutes(scope, routes.sessions)
    bookRoutes(scope, routes)
    collectingRoutes(scope, routes.receiver)
    eventRoutes(scope, routes.receiver, routes.buyers)
  })
}

function loginRoutes(app: FastifyInstance, sessions: Sessions): void {
  app.get('/login', async (request) => {
    const token = sessionOf(request) ?? sessions.open(request.admin?.name ?? '')
    return { token }
  })
  app.get('/logout', async (request) => {
    const token = sessionOf(request)
    if (token !== undefined) sessions.close(token)
    return { logged_out: token !== undefined }
  })
  app.get('/admin', async ({ admin }) => ({ user: admin?.name, by: admin?.by }))
}

/** The token of a request that came with one of a session. */
function sessionOf({ admin, headers }: FastifyRequest): string | undefined {
  if (admin?.by !== 'session') return undefined
  const credentials = parseCredentials(headers.authorization)
  return credentials?.kind === 'bearer' ? credentials.token : undefined
}

function bookRoutes(app: FastifyInstance, routes: AdminRoutes): void {
  const { receiver, prices, income, traffic, buyers } = routes
  const { book, contractFacts } = receiver
  const { challengePeriod } = contractFacts
  const nameOf = (sender: Address) => buyers?.get(sender)
  const shown = (channel: Channel) => ({
    ...adminChannel(channel, challengePeriod),
    sender_name: nameOf(channel.sender) ?? null,
  })
  app.get('/admin/stats', async () => adminStats(receiver, buyers))
  app.get('/admin/prices', async () => prices())
  app.get('/admin/income', async () =>
    income().map(({ start, total }) => ({ start, total: `${total}` })),
  )
  app.get('/admin/traffic', async ({ query }) => {
    const { by, count } = parseTrafficQuery(query)
    return trafficView(await traffic(by, count))
  })
  app.get('/admin/channels', async ({ query, routeOptions }, reply) => {
    const { channels, total, next } = listChannels(book.all(), query, nameOf)
    reply.header('x-total-count', `${total}`)
    if (next !== undefined) reply.header('link', nextLink(`${routeOptions.url}`, query, next))
    return channels.map(shown)
  })
  app.get<{ Params: ChannelPath }>(
    '/admin/channels/:sender/:openBlock',
    async ({ params }, reply) => {
      const { sender, openBlock } = parsePath(params)
      const channel = book.get(sender, openBlock)
      return channel === undefined ? channelUnknown(reply) : shown(channel)
    },
  )
  app.get('/admin/backup', async (_, reply) => {
    reply.type('application/x-ndjson')
    return backupOf(receiver)
  })
}
