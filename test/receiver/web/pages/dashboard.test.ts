// The dashboard's decisions, without a browser; and its stream.
import test from 'ava'
import { createAdmin } from '../../../../receiver/server/admin/admin.ts'
import { adminSchema } from '../../../../receiver/server/admin/config.ts'
import { hashSecret } from '../../../../receiver/server/admin/secrets.ts'
import type {
  Channel,
  ResourceCounts,
  Stats,
} from '../../../../receiver/web/pages/dashboard/api.ts'
import { csvOf } from '../../../../receiver/web/pages/dashboard/csv.ts'
import {
  refusalTexts,
  sumsBy,
  sumsByResource,
  trafficNames,
  trafficRows,
} from '../../../../receiver/web/pages/dashboard/periods.ts'
import {
  channelNames,
  channelRow,
  listingOf,
  pagesOf,
} from '../../../../receiver/web/pages/dashboard/rows.ts'
import {
  buyerText,
  clockOf,
  counted,
  disputeText,
  settlesText,
} from '../../../../receiver/web/pages/dashboard/texts.ts'
import { listenAdmin } from '../../../support/admin.ts'
import { givenChannel } from '../../../support/channel.ts'

const big = 10n ** 30n

function channel(at: number, change: Partial<Channel> = {}): Channel {
  return {
    sender_address: `0x${at.toString(16).padStart(40, '0')}`,
    sender_name: null,
    open_block: `${at}`,
    state: at % 2 === 0 ? 'open' : 'settled',
    deposit: '100',
    balance: `${at}`,
    due: `${BigInt(at) * big}`,
    settle_block: null,
    ...change,
  }
}
test('the receiver is asked for what the table shows', (t) => {
  const selection = { text: ' 0xAb ', state: 'open', column: 'due', descending: true } as const
  t.is(
    listingOf(selection, 50),
    '/admin/channels?sort=due&order=desc&limit=50&sender=0xAb&state=open',
  )
  t.is(
    listingOf({ text: '', state: '', column: 'block', descending: false }, 1000),
    '/admin/channels?sort=block&order=asc&limit=1000',
  )
  t.deepEqual([0, 1, 50, 51, 10_000].map(pagesOf), [1, 1, 1, 2, 200])
})

test('a spreadsheet takes no cell of the CSV for a formula', (t) => {
  t.is(
    csvOf(channelNames, [
      channelRow(channel(1, { sender_name: '=cmd|"/c"!A1', sender_address: 'a,b' })),
    ]).split('\r\n')[1],
    `"a,b","'=cmd|""/c""!A1",1,settled,100,1,${big}`,
  )
  t.is(
    csvOf(channelNames, []),
    'sender_address,sender_name,open_block,state,deposit,balance,due\r\n',
  )
  const row = { ...counts(0, '/a', 5), path: '@SUM(1)', refused: { payment_required: 3, other: 1 } }
  t.is(
    csvOf(trafficNames, trafficRows([row], 'hour')).split('\r\n')[1],
    `1970-01-01 00:00,'@SUM(1),5,1,0,0,1,3`,
  )
})

test('the end of a challenge period is said as a time, in disputes and in the table', (t) => {
  const stats = {
    contract_head: 335,
    seconds_per_block: 12,
    token_symbol: 'TKN',
    token_decimals: 0,
  }
  const close = {
    ...{
      sender_address: channel(1).sender_address,
      sender_name: null,
      open_block: '7',
      stake: '3',
    },
    ...{ settle_block: 1234, answer: 'due' },
  }
  const disputed = (change: object) => disputeText(close, { ...stats, ...change } as Stats)
  t.is(
    disputed({}),
    '0x0000…0001, block 7: 3 TKN, answer due, settles after block 1234, about 3 hours from now',
  )
  t.regex(disputed({ seconds_per_block: null }), /, settles after block 1234$/)
  t.regex(disputed({ contract_head: null }), /, settles after block 1234$/)
  const clock = clockOf(stats as Stats)
  t.is(settlesText(channel(1), clock), '')
  t.is(
    settlesText(channel(1, { state: 'closing', settle_block: 1234 }), clock),
    'settles after block 1234, about 3 hours from now',
  )
})

function counts(start: number, path: string, income: number): ResourceCounts {
  return { start, path, income: `${income}`, paid: 1, failed: 0, repeated: 0, refused: {} }
}

test('income by day and hour is what the total has risen by, beside the requests', (t) => {
  const day = 86_400
  const hours = [
    { start: 0, total: '5' },
    { start: 3600, total: '7' },
    { start: 2 * day, total: '10' },
  ]
  const byDay = sumsBy('day', { hours, traffic: [counts(0, '/a', 7)], now: 2 * day + 5 })
  t.is(byDay.length, 30)
  t.deepEqual(
    byDay.slice(-3).map(({ income, paid }) => [income, paid]),
    [
      [7n, 1],
      [0n, 0],
      [3n, 0],
    ],
  )
  const byHour = sumsBy('hour', { hours, traffic: [], now: 3600 })
  t.is(byHour.length, 48)
  t.deepEqual(
    byHour.slice(-2).map(({ start, income }) => [start, income]),
    [
      [0, 5n],
      [3600, 2n],
    ],
  )
})

test('resources are summed exactly, what brings most first; asking for the price is no refusal', (t) => {
  const refused = { payment_required: 9, nonexisting_channel: 2, of_a_module: 1 }
  const traffic = [
    counts(0, '/a', 5),
    counts(0, '/b', 20),
    { ...counts(3600, '/a', 6), income: `${big}`, failed: 2, refused },
  ]
  t.deepEqual(
    sumsByResource(traffic).map(({ path, income, ...rest }) => [path, income, rest]),
    [
      ['/a', big + 5n, { paid: 2, failed: 2, refused: 3, asked: 9 }],
      ['/b', 20n, { paid: 1, failed: 0, refused: 0, asked: 0 }],
    ],
  )
  t.deepEqual(refusalTexts(traffic), ['2 × No such channel', '1 × of_a_module'])
})

test('one is one; who has a name is shown by it', (t) => {
  t.deepEqual([counted(1, 'channel'), counted(2, 'channel')], ['1 channel', '2 channels'])
  t.is(buyerText(channel(1)), '0x0000…0001')
  t.is(buyerText(channel(1, { sender_name: 'kitchen' })), 'kitchen (0x0000…0001)')
})

test('the stream tells of a payment, and only who is logged in', async (t) => {
  const admin = await createAdmin(
    adminSchema.parse({ users: { alice: await hashSecret('secret') } }),
  )
  const { pay } = await givenChannel(t, { server: { admin } })
  const base = await listenAdmin(t, admin)
  const api = (path: string, init?: RequestInit) => fetch(`${base}/api/1${path}`, init)
  t.is((await api('/admin/events?count=2')).status, 401)
  const headers = { authorization: `Basic ${Buffer.from('alice:secret').toString('base64')}` }
  const answer = await api('/admin/events?count=2', { headers })
  t.is(answer.headers.get('content-type'), 'text/event-stream; charset=utf-8')
  const events = answer.text()
  await pay(5n)
  const sums = (await events)
    .split('\n\n')
    .filter((event) => event.startsWith('data: '))
    .map((event) => JSON.parse(event.slice(6)).uncollected_sum)
  t.deepEqual([sums.length, sums.at(-1)], [2, '5'])
  t.is((await api('/admin/income', { headers })).status, 200)
})
