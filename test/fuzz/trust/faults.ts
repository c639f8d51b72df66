// Faults that are planted to see that they are found: each takes one thing away that holds attackers off.
import type { FastifyInstance } from 'fastify'
import {
  type BoundKeys,
  parseAudience,
  parseBoundRequest,
  signAnswer,
  type VerifiedRequest,
} from '../../../protocol/bound/index.ts'
import { parseAddress } from '../../../protocol/index.ts'
import type { Receiver } from '../../../receiver/index.ts'
import { type Asked, type Said, withFields } from '../../support/bound-receiver.ts'

/**
 * mac       the receiver does not check the MAC of a request
 * unbound   it takes unbound payments on bound channels
 * spent     it forgets what has paid already
 * close     it agrees to a close with whoever asks for it
 * ticks     it serves whoever shows any tick
 * answers   the attacker has the keys of answers, as if the agent did not check them
 */
export const faults = ['mac', 'unbound', 'spent', 'close', 'ticks', 'answers'] as const
export type Fault = (typeof faults)[number]

type Writable<Type> = { -readonly [Name in keyof Type]: Type[Name] }

export function plant(fault: Fault | undefined, receiver: Receiver, server: FastifyInstance): void {
  const manager: Writable<Receiver['manager']> = receiver.manager
  const { registerPayment } = manager
  switch (fault) {
    case 'mac':
      trusting(receiver)
      return
    case 'unbound':
      manager.isBoundOnly = () => false
      manager.registerPayment = (payment, ...rest) =>
        registerPayment({ ...payment, bound: true }, ...rest)
      return
    case 'spent':
      manager.registerPayment = async (...given) => {
        const outcome = await registerPayment(...given)
        if (outcome.kind !== 'refused' || outcome.code !== 'balance_spent') return outcome
        const { channel } = outcome
        return channel ? { kind: 'paid', channel, chargeOnly: async () => 0n } : outcome
      }
      return
    case 'ticks':
      manager.registerPayment = async (payment, ...rest) => {
        const outcome = await registerPayment(payment, ...rest)
        if (outcome.kind !== 'refused' || payment.tick === undefined) return outcome
        const { channel } = outcome
        return channel ? { kind: 'paid', channel, chargeOnly: async () => 0n } : outcome
      }
      return
    case 'close':
      closing(receiver, server)
      return
    default:
      return
  }
}

function trusting({ paywall, requestKeys }: Receiver): void {
  const door: Writable<Receiver['paywall']['door']> = paywall.door
  const { enter } = door
  door.enter = (message) => {
    const claimed = parseBoundRequest(message)
    if (claimed === undefined || !claimed.ok) return enter(message)
    const keys = requestKeys.find(parseAudience(claimed.value.covered))
    if (keys === undefined) return enter(message)
    const request = { ...(claimed.value as VerifiedRequest), keyNumber: keys.number }
    return { kind: 'bound', request, keys }
  }
}

function closing({ manager }: Receiver, server: FastifyInstance): void {
  server.addHook('preHandler', async (request, reply) => {
    if (request.method !== 'DELETE') return
    const { sender, openBlock } = request.params as { readonly [name: string]: string }
    const given = { ...Object(request.query), ...Object(request.body) } as { balance?: string }
    await manager.agreeToClose(
      parseAddress(sender ?? ''),
      Number(openBlock),
      BigInt(given.balance ?? 0),
    )
    return reply.send({})
  })
}

/** The answer as the receiver would have signed it, had it said that. */
export function signAnew(keys: BoundKeys | undefined, asked: Asked, said: Said): Said {
  const [path = '', query] = asked.path.split('?', 2)
  const { method, fields } = asked
  const search = query === undefined ? '' : `?${query}`
  const request = parseBoundRequest({ method, path, query: search, fields })
  if (keys === undefined || !request?.ok) return said
  const bare = withFields(said, { Signature: undefined, 'Signature-Input': undefined })
  const { mac: requestMac } = request.value
  try {
    const { fields: signature } = signAnswer(bare, keys, { requestMac })
    return withFields(bare, { ...signature })
  } catch {
    return said
  }
}
