// GET and DELETE of channels (wire-protocol.md section 5).

import type { FastifyInstance, FastifyRequest } from 'fastify'
import { parseAddress } from '../../../protocol/index.ts'
import { acceptsPayments, type Channel } from '../../channels/records.ts'
import type { Receiver } from '../../core/receiver.ts'
import { receiverError } from '../../errors/index.ts'
import { parseClosingBalance } from './closing-balance.ts'
import { type ChannelPath, channelUnknown, parsePath } from './paths.ts'
import { isBoundTo, unbound } from './request-keys.ts'

const statuses = ['open', 'closed', 'all'] as const

export async function channelRoutes(app: FastifyInstance, receiver: Receiver): Promise<void> {
  for (const path of ['/channels', '/channels/']) {
    app.get(path, async (request) => listed(receiver, request, () => true))
  }
  app.get<{ Params: ChannelPath }>('/channels/:sender', async (request) => {
    const sender = parseAddress(request.params.sender)
    return listed(receiver, request, (channel) => channel.sender === sender)
  })
  app.get<{ Params: ChannelPath }>('/channels/:sender/:openBlock', async (request, reply) => {
    const { sender, openBlock } = parsePath(request.params)
    const channel = receiver.book.get(sender, openBlock)
    return channel === undefined ? channelUnknown(reply) : describe(channel)
  })
  app.delete<{ Params: ChannelPath }>('/channels/:sender/:openBlock', async (request, reply) => {
    const { sender, openBlock } = parsePath(request.params)
    // Of a bound channel only its sender may end it.
    const form = receiver.book.ledger(sender, openBlock).proof?.form
    const isBound = receiver.book.isBoundOnly({ sender, openBlock }, form)
    if (isBound && !isBoundTo(request, { sender, openBlock })) return unbound(reply)
    const { highest } = receiver.book.ledger(sender, openBlock).claims
    const balance = parseClosingBalance(offeredBalance(request), highest)
    return { close_signature: await receiver.manager.agreeToClose(sender, openBlock, balance) }
  })
}

/** As JSON, as form data (the original client), or in the query. */
function offeredBalance(request: FastifyRequest): unknown {
  const body = request.body as { readonly balance?: unknown } | null | undefined
  return body?.balance ?? (request.query as { readonly balance?: unknown }).balance
}

function listed(
  { book }: Receiver,
  request: FastifyRequest,
  wanted: (channel: Channel) => boolean,
): readonly object[] {
  const { status = 'open' } = request.query as { readonly status?: string }
  if (!statuses.some((known) => known === status)) {
    throw receiverError({
      code: 'status_unknown',
      message: `"${status}" is no status of a channel.`,
      hint: `Use one of ${statuses.join(', ')}.`,
    })
  }
  return [...book.all()]
    .filter((channel) => status === 'all' || isOpen(channel) === (status === 'open'))
    .filter(wanted)
    .map(describe)
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
