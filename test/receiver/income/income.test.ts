// The history of income: by the hour, never falling, bounded, kept over a restart.
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import fc from 'fast-check'
import { type IncomeHistory, withTotal } from '../../../receiver/income/history.ts'
import { earned, recordIncome } from '../../../receiver/income/recorder.ts'
import { temporaryFolder } from '../../support/folder.ts'

const hour = 3600

test('each hour has what was paid in all by its end', (t) => {
  let history: IncomeHistory = []
  for (const [seconds, total] of [
    [10, 0n],
    [20, 5n],
    [hour - 1, 7n],
    [hour, 9n],
    [5 * hour, 9n],
    [6 * hour, 10n],
  ] as const) {
    history = withTotal(history, seconds, total)
  }
  t.deepEqual(history, [
    { start: 0, total: 7n },
    { start: hour, total: 9n },
    { start: 6 * hour, total: 10n },
  ])
})

test('whatever clock and balances do, totals and hours only rise, and a year is the most', (t) => {
  const looks = fc.array(
    fc.tuple(fc.integer({ min: 0, max: 10 ** 9 }), fc.bigInt({ min: 0n, max: 10n ** 30n })),
  )
  fc.assert(
    fc.property(looks, (given) => {
      const history = given.reduce<IncomeHistory>(
        (all, [seconds, total]) => withTotal(all, seconds, total),
        [],
      )
      for (const [at, { start, total }] of history.entries()) {
        const before = history[at - 1]
        if (before !== undefined) t.true(start > before.start && total > before.total)
      }
    }),
  )
  let history: IncomeHistory = []
  for (let at = 0; at < 366 * 24 + 5; at++) history = withTotal(history, at * hour, BigInt(at))
  t.is(history.length, 366 * 24)
})

test('credit of senders is not income', (t) => {
  const claims = { highest: 20n, unclaimed: [{ from: 5n, to: 8n }] }
  t.is(earned([{ claims }, { claims: { highest: 1n, unclaimed: [] } }]), 18n)
})

test('the history survives a restart; a damaged file is no history', async (t) => {
  const file = join(await temporaryFolder(t), 'income.json')
  let paid = 5n
  const options = {
    file,
    total: () => paid,
    now: () => hour * 1000,
    onError: (error: unknown) => t.fail(String(error)),
  }
  const first = await recordIncome(options)
  t.deepEqual(first.history(), [{ start: hour, total: 5n }])
  await first.stop()
  t.is((await stat(file)).mode & 0o777, 0o600)
  paid = 6n
  const second = await recordIncome({ ...options, now: () => 3 * hour * 1000 })
  t.deepEqual(second.history(), [
    { start: hour, total: 5n },
    { start: 3 * hour, total: 6n },
  ])
  await second.stop()
  await writeFile(file, '{ "not')
  const third = await recordIncome(options)
  t.deepEqual(third.history(), [{ start: hour, total: 6n }])
  await third.stop()
  t.true((await readFile(file, 'utf8')).startsWith('['))
})
