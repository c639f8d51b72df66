// GET and DELETE of channels (wire-protocol.md section 5).

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type Address, defined, fromOriginal, parseAddress } from '../../../protocol/index.ts'
import { acceptsPayments, type Channel } from '../../channels/records.ts'
import type { Receiver } from '../../core/receiver.ts'
import { receiverError } from '../../errors/index.ts'
import { type Problem, sendProblem } from '../../http/problem.ts'
import { parseClosingBalance } from './closing-balance.ts'
import { listChannels, mostListed, nextLink } from './listing.ts'
import { type ChannelPath, channelUnknown, parsePath } from './paths.ts'
import { isBoundTo, unbound } from './request-keys.ts'

/** `opened` is the original's word for open. */
const statuses: { readonly [status: string]: (channel: Channel) => boolean } = {
  open: isOpen,
  opened: isOpen,
  closed: (channel) => !isOpen(channel) && channel.state !== 'settled',
  settled: ({ state }) => state === 'settled',
  all: () => true,
}

/** Whom the channel API shows all channels: everybody, as the original does, or nobody. */
export type ShownChannels = 'all' | 'own'

export async function channelRoutes(
  app: FastifyInstance,
  receiver: Receiver,
  shown: ShownChannels = 'all',
): Promise<void> {
  for (const path of ['/channels', '/channels/']) {
    app.get(path, async (request, reply) =>
      shown === 'all' ? listed(receiver, { request, reply }) : sendProblem(reply, noList),
    )
  }
  app.get<{ Params: ChannelPath }>('/channels/:sender', async (request, reply) => {
    const sender = fromOriginal(parseAddress)(request.params.sender)
    return listed(receiver, { request, reply }, sender)
  })
  app.get<{ Params: ChannelPath }>('/channels/:sender/:openBlock', async (request, reply) => {
    const { sender, openBlock } = parsePath(request.params)
    const { channel } = await receiver.channels.look({ sender, openBlock }, () => false)
    return channel === undefined ? channelUnknown(reply) : describe(channel)
  })
  app.delete<{ Params: ChannelPath }>('/channels/:sender/:openBlock', async (request, reply) => {
    const { sender, openBlock } = parsePath(request.params)
    // Of a bound channel only its sender may end it.
    const { channel } = await receiver.channels.look({ sender, openBlock }, () => false)
    const isBound = receiver.channels.isBoundOnly({ sender, openBlock }, channel?.proof?.form)
    if (isBound && !isBoundTo(request, { sender, openBlock })) return unbound(reply)
    const balance = parseClosingBalance(offeredBalance(request), channel?.claims.highest ?? 0n)
    return { close_signature: await receiver.manager.agreeToClose(sender, openBlock, balance) }
  })
}

/** As JSON, as form data (the original client), or in the query. */
function offeredBalance(request: FastifyRequest): unknown {
  const body = request.body as { readonly balance?: unknown } | null | undefined
  return body?.balance ?? (request.query as { readonly balance?: unknown }).balance
}

interface ListQuery {
  readonly status?: string
  readonly limit?: string
  readonly cursor?: string
}

/**
 * Without a limit all of one sender's, and of all channels as many as one answer takes.
 * @throws UraidenError `status_unknown`, `query_invalid`, `cursor_invalid`
 */
function listed(
  { book }: Receiver,
  { request, reply }: { readonly request: FastifyRequest; readonly reply: FastifyReply },
  sender?: Address,
): readonly object[] {
  const query = request.query as ListQuery
  const { status = 'open', limit = sender === undefined ? `${mostListed}` : undefined } = query
  const isWanted = Object.hasOwn(statuses, status) ? statuses[status] : undefined
  if (isWanted === undefined) {
    throw receiverError({
      code: 'status_unknown',
      message: `"${status}" is no status of a channel.`,
      hint: `Use one of ${Object.keys(statuses).join(', ')}.`,
    })
  }
  const wanted = [...book.all()]
    .filter((channel) => sender === undefined || channel.sender === sender)
    .filter(isWanted)
  const { channels, next } = listChannels(wanted, defined({ limit, cursor: query.cursor }))
  if (next !== undefined) {
    const [path = ''] = request.url.split('?', 1)
    reply.header('link', nextLink(path, query, next))
  }
  return channels.map(describe)
}

const noList: Problem = {
  status: 403,
  code: 'list_not_shown',
  title: 'No list here',
  detail: 'This receiver shows nobody the list of all channels. Ask for those of your own address.',
}

function isOpen(channel: Channel): boolean {
  return acceptsPayments(channel)
}

function describe(channel: Channel) {
  return {
    sender_address: channel.sender,
    open_block: channel.openBlock.toString(),
    balance: channel.claims.highest.toString(),
    deposit: channel.deposit.toString(),
    state: isOpen(channel) ? 'open' : channel.state === 'settled' ? 'settled' : 'closed',
  }
}
