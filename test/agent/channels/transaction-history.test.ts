import test from 'ava'
import { noteTransaction, transactionsOfWeek } from '../../../agent/channels/transaction-history.ts'
import type { ChannelEvent } from '../../../platform/chain/index.ts'
import { ledgerOn, newChannel, testDisk } from '../../support/ledger.ts'

const day = 24 * 3_600_000
const noon = Date.UTC(2026, 10, 21, 12)

type Kind = ChannelEvent['kind']

const receipt = (kind: Kind | undefined, fee: bigint) =>
  ({ events: kind === undefined ? [] : [{ kind }], fee }) as never

async function given(transactions: readonly (readonly [day: number, kind: Kind | undefined])[]) {
  const disk = testDisk()
  const ledger = await ledgerOn({ disk })
  const { notes } = ledger
  for (const [on, kind] of transactions) noteTransaction(notes, receipt(kind, 7n), noon + on * day)
  return { disk, ledger, notes, week: (on: number) => transactionsOfWeek(notes, noon + on * day) }
}

test('a week is known once the first transaction is seven days back', async (t) => {
  const { week } = await given([[0, 'created']])
  t.is(week(0), undefined)
  t.is(week(6), undefined)
  t.deepEqual(week(7), { opened: 0, toppedUp: 0, closed: 0, others: 0, fee: 0n })
})

test('what was done counts by its kind for seven days, today among them', async (t) => {
  const { week } = await given([
    [0, 'created'],
    [1, 'toppedUp'],
    [1, undefined],
    [1, 'toppedUp'],
    [7, 'closeRequested'],
    [7, 'settled'],
  ])
  t.deepEqual(week(7), { opened: 0, toppedUp: 2, closed: 2, others: 1, fee: 35n })
  t.deepEqual(week(8), { opened: 0, toppedUp: 0, closed: 2, others: 0, fee: 14n })
  t.deepEqual(week(100), { opened: 0, toppedUp: 0, closed: 0, others: 0, fee: 0n })
})

test('no more than a week is kept', async (t) => {
  const { notes } = await given(Array.from({ length: 30 }, (_, on) => [on, 'toppedUp'] as const))
  t.is((notes.get('transactions') as { readonly days: unknown[] }).days.length, 7)
})

test('a clock that is set back counts on the last day', async (t) => {
  const { week } = await given([
    [0, 'created'],
    [10, 'toppedUp'],
    [-5000, 'toppedUp'],
  ])
  t.like(week(10), { toppedUp: 2 })
  t.like(week(-5000), { toppedUp: 2 })
})

test('it is on disk with what the transaction did', async (t) => {
  const { disk, ledger } = await given([[0, 'created']])
  await ledger.add(newChannel(100n))
  const { notes } = await ledgerOn({ disk })
  t.is(transactionsOfWeek(notes, noon + 6 * day), undefined)
  t.like(transactionsOfWeek(notes, noon + 7 * day), { opened: 0 })
})
