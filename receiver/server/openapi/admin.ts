// What an administrator may ask, with a password, a token, or on the receiver's Unix socket.
import { mostHours } from '../admin/traffic.ts'
import { mostListed, sortNames } from '../api/listing.ts'
import {
  count,
  json,
  listOf,
  object,
  openBlockParameter,
  orNull,
  problem,
  ref,
  senderParameter,
  text,
} from './schemas.ts'
import type { JsonSchema, Operation, Paths } from './types.ts'

const state = { enum: ['open', 'agreed', 'closing', 'settled'] }

const senderName = orNull({ ...text, description: 'what receiver.yaml calls it' })

const channel = object({
  sender_address: ref('Address'),
  sender_name: senderName,
  open_block: ref('BlockText'),
  state: { ...state, description: 'agreed: a closing agreement was signed, the chain has it not' },
  deposit: ref('Amount'),
  balance: ref('Amount'),
  withdrawn: ref('Amount'),
  due: { ...ref('Amount'), description: 'balance without what was taken out' },
  credit: {
    ...ref('Amount'),
    description: 'of the balance: the sender’s, for what was not served',
  },
  signature_form: orNull({ enum: ['seed', 'eip712'] }),
  closing_balance: orNull(ref('Amount')),
  closing_block: orNull(count),
  settle_block: orNull({
    ...count,
    description: 'closing: the last block of the challenge period, as the contract counts',
  }),
})

const stats = object({
  channels: object({ open: count, agreed: count, closing: count, settled: count }),
  unique_senders: { ...count, description: 'of channels that are not settled' },
  deposit_sum: ref('Amount'),
  uncollected_sum: ref('Amount'),
  at_risk_sum: {
    ...ref('Amount'),
    description: 'lost if nobody answers the closes below our proofs',
  },
  lost_sum: ref('Amount'),
  dishonest_closes: listOf(
    object({
      sender_address: ref('Address'),
      sender_name: senderName,
      open_block: ref('BlockText'),
      stake: ref('Amount'),
      remaining_blocks: { type: 'integer' },
      settle_block: { ...count, description: 'the last block in which it can be answered' },
      answer: { enum: ['due', 'waiting', 'sent', 'mined'] },
    }),
  ),
  liquid_balance: ref('Amount'),
  ether_balance: orNull({ ...ref('Amount'), description: 'in wei' }),
  token_symbol: text,
  token_decimals: count,
  verifier: { enum: ['native', 'wasm', 'js'] },
  verifier_threads: count,
  chain_head: orNull(count),
  contract_head: orNull({ ...count, description: 'the same block as the contract counts' }),
  seconds_per_block: orNull({ type: 'number', description: 'as the contract counts' }),
  chain_synced: orNull(count),
  chain_age_seconds: orNull(count),
  node_answers: { type: 'boolean' },
})

const price = object({
  path: text,
  methods: { ...listOf(text), description: 'empty: all' },
  price: { ...text, description: 'with its unit; computed where it depends on the request' },
})

const traffic = object({
  start: { ...count, description: 'of the hour or day (UTC), Unix time in seconds' },
  path: { ...text, description: 'as the configuration names the resource' },
  paid: { ...count, description: 'requests that were paid for and answered' },
  income: ref('Amount'),
  failed: { ...count, description: 'paid for, and given back because the resource failed' },
  repeated: { ...count, description: 'answered again from the kept reply' },
  refused: {
    type: 'object',
    description: 'by code; payment_required is who asked for the price',
    additionalProperties: count,
  },
})

/** With what every operation here has: a login, and what is said without one. */
function administered(operation: Omit<Operation, 'tags' | 'security'>): Operation {
  return {
    ...operation,
    tags: ['admin'],
    security: [{ password: [] }, { token: [] }],
    responses: {
      ...operation.responses,
      401: problem('Not logged in.'),
      403: problem('A page of another site asked, with the browser’s login.'),
      429: problem('Too many wrong passwords or tokens from this address; see `Retry-After`.'),
    },
  }
}

const collected = listOf(
  object({
    sender_address: ref('Address'),
    open_block: ref('BlockText'),
    amount: { ...ref('Amount'), description: 'of tokens' },
  }),
)

const transaction = object({
  transaction_hash: ref('TransactionHash'),
  block: count,
  gas_used: ref('Amount'),
  channels: collected,
})

const collection = object({
  dry_run: { type: 'boolean' },
  planned: collected,
  planned_sum: ref('Amount'),
  expected_fee_wei: ref('Amount'),
  gas_price_wei: ref('Amount'),
  reason: {
    enum: ['nothing_due', 'too_little', 'gas_price', 'fee_share', null],
    description: 'why not all, or nothing, is collected',
  },
  left: object({ channels: count, sum: ref('Amount') }),
  transactions: listOf(transaction),
  sum: { ...ref('Amount'), description: 'what was got' },
})

const sendingFailures = {
  409: problem('Another collection is under way.'),
  502: problem('The Ethereum node does not answer, or takes no transaction.'),
  503: problem('Gas is too dear now, or the receiver has no ether.'),
  504: problem('Sent, and not mined in time: it may still be.'),
}

const ofBoth = {
  dry_run: { type: 'boolean' },
  least_each: { ...ref('Amount'), description: 'leave channels that owe less' },
  most_gas_price_wei: { ...ref('Amount'), description: 'in place of what is configured' },
}

const ofClosing = {
  ...ofBoth,
  nothing_due: { type: 'boolean', description: 'also channels that owe nothing any more' },
  channel: { ...text, description: 'only this one: <sender>/<open block>' },
}

function collecting(
  operationId: string,
  summary: string,
  fields: { readonly [name: string]: JsonSchema },
): Operation {
  return administered({
    operationId,
    summary,
    description: 'Answers when the transactions are mined; at once on a dry run.',
    requestBody: {
      content: {
        'application/json': { schema: object(fields, Object.keys(fields)) },
      },
    },
    responses: {
      200: json('What was planned and done.', collection),
      400: problem('The body is wrong.'),
      ...sendingFailures,
    },
  })
}

export const adminPaths: Paths = {
  '/api/1/login': {
    get: administered({
      operationId: 'login',
      summary: 'A token that is valid for ten minutes after its last use',
      description: 'Use it as a bearer token, or as the user name of Basic with an empty password.',
      responses: { 200: json('The token.', object({ token: text })) },
    }),
  },
  '/api/1/logout': {
    get: administered({
      operationId: 'logout',
      summary: 'End the token that the request came with',
      responses: { 200: json('Done.', object({ logged_out: { type: 'boolean' } })) },
    }),
  },
  '/api/1/admin': {
    get: administered({
      operationId: 'getAdmin',
      summary: 'Who is logged in',
      responses: {
        200: json(
          'The administrator.',
          object({ user: text, by: { enum: ['password', 'token', 'session', 'socket'] } }),
        ),
      },
    }),
  },
  '/api/1/admin/stats': {
    get: administered({
      operationId: 'getAdminStats',
      summary: 'What is earned and not collected, and how the receiver is',
      responses: { 200: json('The statistics.', stats) },
    }),
  },
  '/api/1/admin/prices': {
    get: administered({
      operationId: 'listPrices',
      summary: 'What is sold',
      responses: { 200: json('The prices.', listOf(price)) },
    }),
  },
  '/api/1/admin/income': {
    get: administered({
      operationId: 'getIncome',
      summary: 'What was paid in all by the end of each hour in which something was paid',
      responses: {
        200: json(
          'The hours, oldest first.',
          listOf(
            object({
              start: { ...count, description: 'of the hour, Unix time in seconds' },
              total: ref('Amount'),
            }),
          ),
        ),
      },
    }),
  },
  '/api/1/admin/traffic': {
    get: administered({
      operationId: 'getTraffic',
      summary: 'Requests by hour or day and by resource',
      parameters: [
        { name: 'by', in: 'query', schema: { enum: ['hour', 'day'], default: 'day' } },
        {
          name: 'count',
          in: 'query',
          description: 'so many of the last hours or days; 30 days, 48 hours when left out',
          schema: { type: 'integer', minimum: 1, maximum: mostHours },
        },
      ],
      responses: {
        200: json('Oldest first; what nobody asked for is left out.', listOf(traffic)),
        400: problem('The query is wrong.'),
      },
    }),
  },
  '/api/1/admin/events': {
    get: administered({
      operationId: 'followStats',
      summary: 'The statistics whenever they change, as server-sent events',
      parameters: [{ name: 'count', in: 'query', description: 'end after so many', schema: count }],
      responses: {
        200: {
          description: 'Each event’s data is what /admin/stats answers.',
          content: { 'text/event-stream': { schema: text } },
        },
        503: problem('Too many streams.'),
      },
    }),
  },
  '/api/1/admin/channels': {
    get: administered({
      operationId: 'listAdminChannels',
      summary: 'Channels with what they owe',
      description:
        'All of them; with a limit so many, and `Link: <…>; rel="next"` while there are more. `X-Total-Count` says how many match.',
      parameters: [
        { name: 'state', in: 'query', schema: state },
        { name: 'sender', in: 'query', description: 'part of an address or a name', schema: text },
        { name: 'sort', in: 'query', schema: { enum: sortNames, default: 'block' } },
        { name: 'order', in: 'query', schema: { enum: ['asc', 'desc'], default: 'asc' } },
        {
          name: 'limit',
          in: 'query',
          schema: { type: 'integer', minimum: 1, maximum: mostListed },
        },
        { name: 'cursor', in: 'query', description: 'as `Link` has it', schema: text },
      ],
      responses: {
        200: json('The channels.', listOf(channel)),
        400: problem('The state, or another part of the query, is wrong.'),
      },
    }),
  },
  '/api/1/admin/channels/{sender}/{openBlock}': {
    get: administered({
      operationId: 'getAdminChannel',
      summary: 'One channel',
      parameters: [senderParameter, openBlockParameter],
      responses: {
        200: json('The channel.', channel),
        400: problem('The address or the block is none.'),
        404: problem('There is no such channel.'),
      },
    }),
    delete: administered({
      operationId: 'closeFromReceiver',
      summary: 'Close a channel from the receiver’s side, on the chain, at its best proof',
      parameters: [senderParameter, openBlockParameter],
      responses: {
        200: json('It is mined.', transaction),
        400: problem('There is no such channel, or nothing was ever paid on it.'),
        ...sendingFailures,
      },
    }),
  },
  '/api/1/admin/withdraw': {
    post: collecting('withdraw', 'Take out what all open channels owe; they stay open', ofBoth),
  },
  '/api/1/admin/close-all': {
    post: collecting('closeAll', 'Close all channels that owe something, on the chain', ofClosing),
  },
  '/api/1/admin/backup': {
    get: administered({
      operationId: 'getBackup',
      summary: 'The best proof of every channel, for `uraiden-receiver restore`',
      responses: {
        200: {
          description: 'One JSON object a line; the last one has the checksum.',
          content: { 'application/x-ndjson': { schema: text } },
        },
      },
    }),
  },
}
