// Spending by day at a terminal: 80 columns, and the sums are right.
import test from 'ava'
import { spendingTable } from '../../../../agent/cli/text/spending.ts'
import { spendingOf } from '../../../../agent/program/page/spending.ts'
import { monthEnd, monthOfSums } from '../../../support/agent-month.ts'

const token = { symbol: 'TKN', decimals: 18 }

test('thirty days fit 80 columns, with who spent how much, and the sum', (t) => {
  const lines = spendingTable(spendingOf(monthOfSums(), monthEnd), token).split('\n')
  t.is(lines.length, 32)
  t.true(
    lines.every((line) => line.length <= 80),
    lines.join('\n'),
  )
  t.regex(lines[0] ?? '', /^DAY +SPENT +BOUGHT +FAILED +BY$/)
  t.regex(lines[30] ?? '', /^2026-11-28 +1\.55 TKN +\d+ +temperature 59 %, /)
  t.is(lines[31], '30 days: 71.47 TKN')
})

test('a day on which nothing was bought has no share to divide', (t) => {
  const row = { receiver: '', buyer: 'a', start: monthEnd, spent: 0n, purchases: 0, failures: 2 }
  t.regex(spendingTable(spendingOf([row], monthEnd), token), /2026-11-28 +0 TKN +0 +2/)
})
