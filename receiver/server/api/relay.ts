// POST /relay/open, /relay/topup and /relay/close (wire-protocol.md section 8), and GET /relay.

import type { FastifyInstance } from 'fastify'
import {
  fromHex,
  type Hex,
  isUraidenError,
  parseAddress,
  parseBlockNumber,
  parseSignature,
  parseUint192,
  shorten,
} from '../../../protocol/index.ts'
import type { Receiver } from '../../core/receiver.ts'
import { receiverError } from '../../errors/index.ts'
import type { Relay } from '../../settlement/relay.ts'
import { isBoundTo, unbound } from './request-keys.ts'

export function relayRoutes(app: FastifyInstance, { relay, channels }: Receiver): void {
  // Asked before anything is signed: of two openings that are signed both may be sent.
  app.get('/relay', async () => ({
    open: offered(relay).takesAuthorizations ? ['authorization', 'permit'] : ['permit'],
  }))
  app.post('/relay/open', async ({ body }) => ({
    transaction_hash: isAuthorized(body)
      ? await offered(relay).openAuthorized({
          ...parties(body),
          deposit: field(body, 'deposit', parseUint192),
          validAfter: field(body, 'valid_after', parseUint64),
          validBefore: field(body, 'valid_before', parseUint64),
          salt: field(body, 'salt', bytesOf({ least: 32, most: 32 })),
          authorization: field(body, 'authorization', bytesOf({ least: 1, most: 2048 })),
        })
      : await offered(relay).open({
          ...parties(body),
          permit: permit(body),
          deposit: field(body, 'deposit', parseUint192),
          signature: field(body, 'open_signature', parseSignature),
        }),
  }))
  app.post('/relay/topup', async ({ body }) => ({
    transaction_hash: await offered(relay).topUp({
      ...parties(body),
      permit: permit(body),
      openBlock: field(body, 'open_block', parseBlockNumber),
      deposit: field(body, 'added_deposit', parseUint192),
      signature: field(body, 'top_up_signature', parseSignature),
    }),
  }))
  app.post('/relay/close', async (request, reply) => {
    const { body } = request
    const { close } = offered(relay)
    const sender = field(body, 'sender_address', parseAddress)
    const openBlock = field(body, 'open_block', parseBlockNumber)
    // A proof that was seen on its way ends no channel that is bound.
    await channels.look({ sender, openBlock }, () => false)
    const isBound = channels.isBoundOnly({ sender, openBlock }, undefined)
    if (isBound && !isBoundTo(request, { sender, openBlock })) return unbound(reply)
    const balance = field(body, 'balance', parseUint192)
    const signature = field(body, 'balance_signature', parseSignature)
    return {
      transaction_hash: await close({ sender, openBlock, balance, signature }),
    }
  })
}

function parties(body: unknown) {
  return {
    sender: field(body, 'sender_address', parseAddress),
    receiver: field(body, 'receiver_address', parseAddress),
  }
}

function permit(body: unknown) {
  return {
    deadline: field(body, 'deadline', parseUint192),
    signature: field(body, 'permit_signature', parseSignature),
  }
}

function isAuthorized(body: unknown): boolean {
  return typeof body === 'object' && body !== null && 'authorization' in body
}

function parseUint64(text: string): bigint {
  const value = parseUint192(text)
  if (value < 2n ** 64n) return value
  throw receiverError({
    code: 'field_invalid',
    message: `${value} does not fit 64 bits.`,
    hint: 'Write Unix seconds.',
  })
}

/** Lengths are of bytes. */
function bytesOf({ least, most }: { readonly least: number; readonly most: number }) {
  return (text: string): Hex => {
    const { length } = fromHex(text)
    if (length >= least && length <= most) return text.toLowerCase() as Hex
    throw receiverError({
      code: 'field_invalid',
      message: `It has ${length} bytes.`,
      hint: least === most ? `Write ${least} bytes in hex.` : `Write ${least} to ${most} bytes.`,
    })
  }
}

function offered(relay: Relay | undefined): Relay {
  if (relay !== undefined) return relay
  throw receiverError({
    code: 'relay_off',
    message: 'This receiver sends no transactions for others.',
  })
}

/**
 * A text field of a JSON body; an error names it. Numbers are taken where they are exact.
 * @throws UraidenError `field_missing`, `field_invalid`
 */
export function field<Value>(body: unknown, name: string, parse: (text: string) => Value): Value {
  const given = (body as { readonly [field: string]: unknown } | null | undefined)?.[name]
  const text = typeof given === 'number' && Number.isSafeInteger(given) ? `${given}` : given
  if (typeof text !== 'string') {
    throw receiverError({
      code: 'field_missing',
      message: `${name}: it is missing, or neither text nor an exact number.`,
      hint: 'Send a JSON object; write amounts as decimal strings.',
    })
  }
  try {
    return parse(text)
  } catch (error) {
    if (!isUraidenError(error)) throw error
    throw receiverError({
      code: 'field_invalid',
      message: `${name}: ${shorten(error.message, 300)}`,
      hint: error.hint,
    })
  }
}
