// The dashboard's decisions, without a browser; and its stream.
import test from 'ava'
import { createAdmin } from '../../../../receiver/server/admin/admin.ts'
import { adminSchema } from '../../../../receiver/server/admin/config.ts'
import { hashSecret } from '../../../../receiver/server/admin/secrets.ts'
import type { Channel, Stats } from '../../../../receiver/web/pages/dashboard/api.ts'
import { incomeByDay } from '../../../../receiver/web/pages/dashboard/days.ts'
import { csvOf, listingOf, pagesOf } from '../../../../receiver/web/pages/dashboard/rows.ts'
import {
  clockOf,
  disputeText,
  settlesText,
} from '../../../../receiver/web/pages/dashboard/texts.ts'
import { listenAdmin } from '../../../support/admin.ts'
import { givenChannel } from '../../../support/channel.ts'

const big = 10n ** 30n

function channel(at: number, change: Partial<Channel> = {}): Channel {
  return {
    sender_address: `0x${at.toString(16).padStart(40, '0')}`,
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
    csvOf([channel(1, { state: '=cmd|"/c"!A1', sender_address: 'a,b' })]).split('\r\n')[1],
    `"a,b",1,"'=cmd|""/c""!A1",100,1,${big}`,
  )
  t.is(csvOf([]), 'sender_address,open_block,state,deposit,balance,due\r\n')
})

test('the end of a challenge period is said as a time, in disputes and in the table', (t) => {
  const stats = {
    contract_head: 335,
    seconds_per_block: 12,
    token_symbol: 'TKN',
    token_decimals: 0,
  }
  const close = {
    ...{ sender_address: channel(1).sender_address, open_block: '7', stake: '3' },
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

test('income by the day is what the total has risen by', (t) => {
  const day = 86_400
  const hours = [
    { start: 0, total: '5' },
    { start: 3600, total: '7' },
    { start: 2 * day, total: '10' },
  ]
  t.deepEqual(
    incomeByDay(hours, 2 * day + 5, 3).map(({ income }) => income),
    [7n, 0n, 3n],
  )
  t.deepEqual(incomeByDay([], day, 2), [
    { start: 0, income: 0n },
    { start: day, income: 0n },
  ])
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
