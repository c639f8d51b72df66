// POST /relay/open, /relay/topup and /relay/close (wire-protocol.md section 8).
import type { FastifyInstance } from 'fastify'
import {
  parseAddress,
  parseBlockNumber,
  parseSignature,
  parseUint192,
  UraidenError,
} from '../../../protocol/index.ts'
import type { Relay } from '../../settlement/relay.ts'
import { field } from './fields.ts'

export function relayRoutes(app: FastifyInstance, relay: Relay | undefined): void {
  app.post('/relay/open', async ({ body }) => ({
    transaction_hash: await offered(relay).open({
      ...parties(body),
      deposit: field(body, 'deposit', parseUint192),
      signature: field(body, 'open_signature', parseSignature),
    }),
  }))
  app.post('/relay/topup', async ({ body }) => ({
    transaction_hash: await offered(relay).topUp({
      ...parties(body),
      openBlock: field(body, 'open_block', parseBlockNumber),
      deposit: field(body, 'added_deposit', parseUint192),
      signature: field(body, 'top_up_signature', parseSignature),
    }),
  }))
  app.post('/relay/close', async ({ body }) => ({
    transaction_hash: await offered(relay).close({
      sender: field(body, 'sender_address', parseAddress),
      openBlock: field(body, 'open_block', parseBlockNumber),
      balance: field(body, 'balance', parseUint192),
      signature: field(body, 'balance_signature', parseSignature),
    }),
  }))
}

function parties(body: unknown) {
  return {
    sender: field(body, 'sender_address', parseAddress),
    receiver: field(body, 'receiver_address', parseAddress),
    permit: {
      deadline: field(body, 'deadline', parseUint192),
      signature: field(body, 'permit_signature', parseSignature),
    },
  }
}

function offered(relay: Relay | undefined): Relay {
  if (relay !== undefined) return relay
  throw new UraidenError({
    code: 'relay_off',
    message: 'This receiver sends no transactions for others.',
    hint: 'Send it from an account with ether.',
  })
}
