// /stats, /channels and the relay: what everybody may ask.
import { mostListed } from '../api/listing.ts'
import {
  count,
  json,
  listOf,
  object,
  openBlockParameter,
  problem,
  ref,
  senderParameter,
  text,
} from './schemas.ts'
import type { JsonSchema, Operation, Paths } from './types.ts'

const abi = listOf({ type: 'object' })

const channel = object({
  sender_address: ref('Address'),
  open_block: ref('BlockText'),
  balance: ref('Amount'),
  deposit: ref('Amount'),
  state: { enum: ['open', 'closed', 'settled'] },
})

const statusParameter = {
  name: 'status',
  in: 'query',
  description: 'open (or opened): takes payments; closed: not settled yet; settled; all',
  schema: { enum: ['open', 'opened', 'closed', 'settled', 'all'], default: 'open' },
} as const

const pageParameters = [
  {
    name: 'limit',
    in: 'query',
    description: 'channels of one answer; of one sender all without it',
    schema: { type: 'integer', minimum: 1, maximum: mostListed },
  },
  { name: 'cursor', in: 'query', description: 'as `Link` has it', schema: text },
] as const

const listChannels = {
  summary: 'Channels to this receiver',
  tags: ['channels'],
  parameters: [statusParameter, ...pageParameters],
  responses: {
    200: json('The channels; `Link: <…>; rel="next"` while there are more.', listOf(channel)),
    400: problem('Status, limit or cursor is none.'),
    403: problem('The receiver shows nobody this list.'),
  },
} as const

const balanceBody = object(
  { balance: { anyOf: [ref('Amount'), { type: 'integer', minimum: 0 }] } },
  ['balance'],
)

const requestKey = object({ key: text, number: text, signature: ref('Signature') })

const requestKeyPaths: Paths = {
  '/api/1/request-key': {
    get: {
      operationId: 'getRequestKey',
      summary: 'The receiver’s request key, signed by its account, for bound requests',
      tags: ['channels'],
      responses: {
        200: json(
          'The key, good until the block `until`.',
          object({ key: text, number: text, until: text, signature: ref('Signature') }),
        ),
      },
    },
  },
  '/api/1/channels/{sender}/{openBlock}/request-key': {
    put: {
      operationId: 'putRequestKey',
      summary:
        'Ties a channel to its sender’s request key: from then on it takes bound requests only',
      tags: ['channels'],
      parameters: [senderParameter, openBlockParameter],
      requestBody: { content: { 'application/json': { schema: requestKey } } },
      responses: {
        200: json(
          'It is tied. The RDN fields say where it stands.',
          object({ balance: ref('Amount') }),
        ),
        400: problem('The key is none, or not the sender’s.'),
        401: problem('The request is not signed with that key.'),
        404: problem('The chain does not show the channel yet.'),
        409: problem('A newer key has replaced it.'),
      },
    },
  },
  '/api/1/channels/{sender}/{openBlock}/answers/{id}': {
    get: {
      operationId: 'getReceipt',
      summary: 'What an answer turned out to be whose body came after its signature',
      tags: ['channels'],
      parameters: [
        senderParameter,
        openBlockParameter,
        {
          name: 'id',
          in: 'path',
          required: true,
          description: 'the first 16 bytes of the request’s MAC in hex',
          schema: { type: 'string', pattern: '^[0-9a-f]{32}$' },
        },
      ],
      responses: {
        200: json(
          'The receipt.',
          object({
            status: count,
            length: count,
            'sha-256': text,
            complete: { type: 'boolean' },
            cost: ref('Amount'),
          }),
        ),
        400: problem('The address, the block or the id is none.'),
        401: problem('The request is not bound to this channel.'),
        404: problem('There is no such receipt, or not any more.'),
      },
    },
  },
}

export const channelPaths: Paths = {
  ...requestKeyPaths,
  '/api/1/stats': {
    get: {
      operationId: 'getStats',
      summary: 'Sums over all channels, addresses, contract interfaces',
      tags: ['channels'],
      responses: {
        200: json(
          'The statistics.',
          object({
            deposit_sum: ref('Amount'),
            open_channels: count,
            pending_channels: { ...count, description: 'closed, not settled' },
            balance_sum: ref('Amount'),
            unique_senders: count,
            liquid_balance: ref('Amount'),
            token_address: ref('Address'),
            contract_address: ref('Address'),
            receiver_address: ref('Address'),
            manager_abi: abi,
            token_abi: abi,
            sync_block: {
              ...count,
              description: 'events are read from here on: where to look for one’s channels',
            },
          }),
        ),
      },
    },
  },
  '/api/1/channels': { get: { operationId: 'listChannels', ...listChannels } },
  '/api/1/channels/': { get: { operationId: 'listChannelsSlash', ...listChannels } },
  '/api/1/channels/{sender}': {
    get: {
      operationId: 'listChannelsOf',
      summary: 'Channels of one sender',
      tags: ['channels'],
      parameters: [senderParameter, statusParameter],
      responses: {
        200: json('The channels.', listOf(channel)),
        400: problem('The address or the status is none.'),
      },
    },
  },
  '/api/1/channels/{sender}/{openBlock}': {
    get: {
      operationId: 'getChannel',
      summary: 'One channel',
      tags: ['channels'],
      parameters: [senderParameter, openBlockParameter],
      responses: {
        200: json('The channel.', channel),
        400: problem('The address or the block is none.'),
        404: problem('There is no such channel.'),
      },
    },
    delete: {
      operationId: 'closeChannel',
      summary: 'Ask for the receiver’s agreement to close at the latest balance',
      description:
        'The agreement is for `cooperativeClose` of the contract. The receiver takes no payment on the channel afterwards. The balance may stand in the body or in the query.',
      tags: ['channels'],
      parameters: [
        senderParameter,
        openBlockParameter,
        { name: 'balance', in: 'query', schema: ref('Amount') },
      ],
      requestBody: {
        content: {
          'application/json': { schema: balanceBody },
          'application/x-www-form-urlencoded': { schema: balanceBody },
        },
      },
      responses: {
        200: json('The agreement.', object({ close_signature: ref('Signature') })),
        400: problem(
          'Not the latest balance, never paid, unknown or closing channel, bad address.',
        ),
        415: problem('The body is neither JSON nor form data.'),
      },
    },
  },
}

function relayed(operationId: string, summary: string, body: JsonSchema): Operation {
  return {
    operationId,
    summary,
    tags: ['relay'],
    requestBody: { required: true, content: { 'application/json': { schema: body } } },
    responses: {
      200: json(
        'The node has the transaction.',
        object({ transaction_hash: ref('TransactionHash') }),
      ),
      400: problem('A field is missing or wrong, or the call would fail.'),
      404: problem('This receiver sends no transactions for others.'),
      502: problem('The Ethereum node does not answer.'),
      503: problem('Gas is too dear now, or the receiver has no ether.'),
    },
  }
}

const amountOrInteger = { anyOf: [ref('Amount'), { type: 'integer', minimum: 0 }] }
const blockOrInteger = { anyOf: [ref('BlockText'), { type: 'integer', minimum: 0 }] }

const parties = { sender_address: ref('Address'), receiver_address: ref('Address') }

const deposit = {
  ...parties,
  deadline: { ...amountOrInteger, description: 'Unix seconds, of permit and message' },
  permit_signature: { ...ref('Signature'), description: 'EIP-2612' },
}

const permitted = object({
  ...deposit,
  deposit: amountOrInteger,
  open_signature: { ...ref('Signature'), description: 'EIP-712 `OpenChannel`' },
})

const authorized = object({
  ...parties,
  deposit: amountOrInteger,
  valid_after: { ...amountOrInteger, description: 'Unix seconds, of the authorization' },
  valid_before: {
    ...amountOrInteger,
    description: 'Unix seconds; at least a minute and at most a day from now, by the chain’s clock',
  },
  salt: {
    ...{ type: 'string', pattern: '^0x[0-9a-fA-F]{64}$' },
    description: 'the nonce of the authorization is keccak256(receiver_address ‖ salt)',
  },
  authorization: {
    ...{ type: 'string', pattern: '^0x(?:[0-9a-fA-F]{2}){1,2048}$' },
    description:
      'EIP-3009 `ReceiveWithAuthorization` to the channels contract: 65 bytes r, s, v, or what the token hands to the code of the sender’s account',
  },
})

export const relayPaths: Paths = {
  '/api/1/relay': {
    get: {
      operationId: 'getRelay',
      summary: 'What this receiver sends for others',
      tags: ['relay'],
      responses: {
        200: json(
          'How a channel may be opened, best first.',
          object({ open: listOf({ enum: ['authorization', 'permit'] }) }),
        ),
        404: problem('This receiver sends no transactions for others.'),
      },
    },
  },
  '/api/1/relay/open': {
    post: relayed('relayOpen', 'Open a channel for a sender without ether', {
      anyOf: [permitted, authorized],
    }),
  },
  '/api/1/relay/topup': {
    post: relayed(
      'relayTopUp',
      'Top up a channel for a sender without ether',
      object({
        ...deposit,
        open_block: blockOrInteger,
        added_deposit: amountOrInteger,
        top_up_signature: { ...ref('Signature'), description: 'EIP-712 `TopUp`' },
      }),
    ),
  },
  '/api/1/relay/close': {
    post: relayed(
      'relayClose',
      'Close a channel at its latest balance, signed by its sender',
      object({
        sender_address: ref('Address'),
        open_block: blockOrInteger,
        balance: amountOrInteger,
        balance_signature: ref('Signature'),
      }),
    ),
  },
}
