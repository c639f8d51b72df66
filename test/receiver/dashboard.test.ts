// The dashboard's decisions, without a browser; and its stream.
import test from 'ava'
import { createAdmin } from '../../receiver/admin/admin.ts'
import { adminSchema } from '../../receiver/admin/config.ts'
import { hashSecret } from '../../receiver/admin/secrets.ts'
import type { Channel } from '../../receiver/web/pages/dashboard/api.ts'
import { incomeByDay } from '../../receiver/web/pages/dashboard/days.ts'
import { csvOf, pageOf, type Selection, select } from '../../receiver/web/pages/dashboard/rows.ts'
import { givenChannel } from '../support/channel.ts'

const big = 10n ** 30n

function channel(at: number, change: Partial<Channel> = {}): Channel {
  return {
    sender_address: `0x${at.toString(16).padStart(40, '0')}`,
    open_block: `${at}`,
    state: at % 2 === 0 ? 'open' : 'settled',
    deposit: '100',
    balance: `${at}`,
    due: `${BigInt(at) * big}`,
    ...change,
  }
}
const all: Selection = { text: '', state: '', column: 'due', descending: true }
const blocks = (channels: readonly Channel[]) => channels.map(({ open_block: block }) => block)

test('channels are sorted by exact amounts, filtered by sender and state', (t) => {
  const three = [channel(9), channel(10), channel(2)]
  t.deepEqual(blocks(select(three, all)), ['10', '9', '2'])
  t.deepEqual(blocks(select(three, { ...all, column: 'block', descending: false })), [
    '2',
    '9',
    '10',
  ])
  t.deepEqual(blocks(select(three, { ...all, state: 'settled' })), ['9'])
  t.deepEqual(blocks(select(three, { ...all, text: ' 0A ' })), ['10'])
  t.deepEqual(blocks(three), ['9', '10', '2'])
})

test('pages of fifty; a page that is not there any more is the last one', (t) => {
  const many = Array.from({ length: 101 }, (_, at) => channel(at))
  t.deepEqual([pageOf(many, 0).rows.length, pageOf(many, 2).rows.length], [50, 1])
  t.deepEqual([pageOf(many, 3).page, pageOf(many, -1).page, pageOf([], 5).page], [2, 0, 0])
  t.is(pageOf(many.slice(0, 100), 0).pages, 2)
})

test('a spreadsheet takes no cell of the CSV for a formula', (t) => {
  t.is(
    csvOf([channel(1, { state: '=cmd|"/c"!A1', sender_address: 'a,b' })]).split('\r\n')[1],
    `"a,b",1,"'=cmd|""/c""!A1",100,1,${big}`,
  )
  t.is(csvOf([]), 'sender_address,open_block,state,deposit,balance,due\r\n')
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
  const { api, pay } = await givenChannel(t, { server: { admin } })
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
