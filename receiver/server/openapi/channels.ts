// /stats, /channels and the relay: what everybody may ask.
import {
  count,
  json,
  listOf,
  object,
  openBlockParameter,
  problem,
  ref,
  senderParameter,
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
  description: 'open: takes payments; closed: all others',
  schema: { enum: ['open', 'closed', 'all'], default: 'open' },
} as const

const listChannels = {
  summary: 'Channels to this receiver',
  tags: ['channels'],
  parameters: [statusParameter],
  responses: {
    200: json('The channels.', listOf(channel)),
    400: problem('The status is unknown.'),
  },
} as const

const balanceBody = object(
  { balance: { anyOf: [ref('Amount'), { type: 'integer', minimum: 0 }] } },
  ['balance'],
)

export const channelPaths: Paths = {
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
            sync_block: count,
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

const deposit = {
  sender_address: ref('Address'),
  receiver_address: ref('Address'),
  deadline: { ...amountOrInteger, description: 'Unix seconds, of permit and message' },
  permit_signature: { ...ref('Signature'), description: 'EIP-2612' },
}

export const relayPaths: Paths = {
  '/api/1/relay/open': {
    post: relayed(
      'relayOpen',
      'Open a channel for a sender without ether',
      object({
        ...deposit,
        deposit: amountOrInteger,
        open_signature: { ...ref('Signature'), description: 'EIP-712 `OpenChannel`' },
      }),
    ),
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
