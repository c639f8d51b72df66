// Request keys, and receipts of answers that came later (design/trust.md): GET /request-key, PUT of a
// channel's key, GET of a receipt.
import type { IncomingMessage } from 'node:http'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { createRate, type Rate, type RateLimits } from '../../../platform/http/rate.ts'
import {
  boundRefusal,
  parseAnswerId,
  parseRequestKey,
  serializeReceipt,
  serializeReceiverKey,
} from '../../../protocol/bound/index.ts'
import { type Address, type ContractBlock, defined, headerName } from '../../../protocol/index.ts'
import { shownProof } from '../../channels/proofs.ts'
import type { Receiver } from '../../core/receiver.ts'
import { admit, exchangeOf, messageOf, problemOf } from '../../http/bound.ts'
import { sendProblem } from '../../http/problem.ts'
import { type ChannelPath, channelUnknown, parsePath } from './paths.ts'

const defaultLimits: RateLimits = { perAddress: 30, most: 600 }

export async function requestKeyRoutes(
  app: FastifyInstance,
  receiver: Receiver,
  limits: Partial<RateLimits> = {},
): Promise<void> {
  const rate = createRate({ ...defaultLimits, ...defined(limits) })
  app.get('/request-key', async (_, reply) => {
    const key = serializeReceiverKey(await receiver.ownRequestKey())
    return reply.type('application/json').send(key)
  })
  await app.register(async (scope) => {
    // What the digest is about, as it came.
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', { parseAs: 'buffer' }, ({ raw }, body, done) => {
      const content = Buffer.from(body)
      contents.set(raw, content)
      done(null, readJson(content))
    })
    const config = { bound: 'by route' } as const
    scope.put<{ Params: ChannelPath }>(
      '/channels/:sender/:openBlock/request-key',
      { config, bodyLimit: 4096 },
      async (request, reply) => putKey({ ...receiver, rate }, request, reply),
    )
  })
  app.get<{ Params: ChannelPath & { readonly id: string } }>(
    '/channels/:sender/:openBlock/answers/:id',
    async (request, reply) => {
      const { sender, openBlock } = parsePath(request.params)
      const id = parseAnswerId(request.params.id)
      if (!isBoundTo(request, { sender, openBlock })) return unbound(reply)
      const keys = exchangeOf(request.raw)?.keys
      const receipt = keys && (await receiver.paywall.door.receipts.get(keys, id))
      if (receipt === undefined) return sendProblem(reply, noReceipt)
      return reply.type('application/json').send(serializeReceipt(receipt))
    },
  )
}

/** Of requests that put a key. */
const contents = new WeakMap<IncomingMessage, Buffer>()

function readJson(content: Buffer): unknown {
  try {
    return JSON.parse(content.toString())
  } catch {
    return undefined
  }
}

async function putKey(
  {
    channels,
    requestKeys,
    takesTicks,
    paywall: { door },
    rate,
  }: Receiver & { readonly rate: Rate },
  request: FastifyRequest<{ Params: ChannelPath }>,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { sender, openBlock } = parsePath(request.params)
  const now = async () => (await channels.look({ sender, openBlock }, () => false)).channel
  const channel = await now()
  if (channel === undefined || channel.state === 'settled') {
    return channelUnknown(reply.header('retry-after', '1'))
  }
  const content = contents.get(request.raw) ?? Buffer.of()
  const signed = parseRequestKey(content.toString())
  // A key that is new costs a recovery, whoever asks.
  const { number: known = -1n } = channel.requestKey ?? {}
  if (signed.number > known && !rate(request.ip)) {
    return sendProblem(reply.header('retry-after', '60'), tooOften)
  }
  const offered = requestKeys.offer({ sender, openBlock }, signed)
  if (!offered.ok) return sendProblem(reply, problemOf(offered.refusal))
  const arrival = { request: request.raw, response: reply.raw, url: request.originalUrl }
  const entrance = door.enterWith(messageOf(door, arrival), offered.keys)
  if (entrance.kind === 'unbound') return unbound(reply)
  const problem = await admit(door, { ...arrival, content }, entrance)
  if (problem !== undefined) return sendProblem(reply, problem)
  await offered.accept()
  const { claims, proof } = (await now()) ?? channel
  reply.header(headerName.senderBalance, `${claims.highest}`)
  if (takesTicks) reply.header(headerName.features, 'ticks')
  if (proof !== undefined) reply.header(headerName.signature, shownProof(proof))
  return reply.send({ balance: `${claims.highest}` })
}

/** Whether the sender of just this channel asks. */
export function isBoundTo(
  { raw }: FastifyRequest,
  { sender, openBlock }: { readonly sender: Address; readonly openBlock: ContractBlock },
): boolean {
  const channel = exchangeOf(raw)?.keys.binding.channel
  return channel?.sender === sender && channel.openBlock === openBlock
}

export function unbound(reply: FastifyReply): FastifyReply {
  const detail = 'Sign the request with the channel’s request key.'
  return sendProblem(reply, problemOf(boundRefusal('request_altered', detail)))
}

const tooOften = {
  status: 429,
  code: 'too_many_request_keys',
  title: 'Too many request keys',
  detail: 'So many were put in the last minute that no more are checked. Try again in a minute.',
}

const noReceipt = {
  status: 404,
  code: 'receipt_unknown',
  title: 'There is no receipt of this answer',
  detail: 'It is not complete yet, is too old, or had a digest and needs none.',
}
