// What the page says of spending: sums by hour and day, the file, and how long budgets last.
import test from 'ava'
import type { HourSum } from '../../../../agent/channels/hours.ts'
import {
  lasting,
  spendingCsv,
  spendingOf,
  spentIn,
} from '../../../../agent/program/page/spending.ts'
import { points, sparkText } from '../../../../agent/program/page/web/line.ts'
import { budgetText, lastsText, sumText, titleOf } from '../../../../agent/program/page/web/text.ts'
import { day, hour } from '../../../../platform/time/clock.ts'
import { monthEnd, monthOfSums } from '../../../support/agent-month.ts'

const now = Date.UTC(2026, 10, 21, 12, 30)
const room = '0x70997970C51812dc3A010C7d01b50e0d17dc79C8'

function row(change: Partial<HourSum>): HourSum {
  const start = Math.floor(now / hour) * hour
  return { start, buyer: 'a', receiver: room, spent: 1n, purchases: 1, failures: 0, ...change }
}

const total = (sums: readonly { readonly spent: readonly string[] }[]) =>
  sums.flatMap(({ spent }) => spent).reduce((sum, each) => sum + BigInt(each), 0n)

test('48 hours and all days are there, the empty ones too, and add up to what was spent', (t) => {
  const rows = [
    row({ start: now - 30 * minute - 100 * day, spent: 7n }),
    row({ start: now - 30 * minute - 47 * hour, spent: 3n, buyer: 'b' }),
    row({ spent: 5n }),
    row({ spent: 2n, receiver: '', failures: 4, purchases: 0 }),
  ]
  const { buyers, hours, days } = spendingOf(rows, now)
  t.deepEqual(buyers, ['a', 'b'])
  t.is(hours.length, 48)
  t.like(hours[0], { label: '2026-11-19 13:00', spent: ['0', '3'], purchases: 1 })
  t.like(hours[47], { label: '2026-11-21 12:00', spent: ['7', '0'], purchases: 1, failures: 4 })
  t.is(days.length, 101)
  t.like(days[0], { label: '2026-08-13', spent: ['7', '0'] })
  t.like(days.at(-1), { label: '2026-11-21', spent: ['7', '0'] })
  t.is(total(days), 17n)
  t.is(days.at(-1)?.start, Date.UTC(2026, 10, 21) / 1000)
})

const minute = 60_000

test('of a month the sums are those of its hours, whatever the time zone', (t) => {
  const rows = monthOfSums()
  const spent = rows.reduce((sum, each) => sum + each.spent, 0n)
  for (const timeZone of [undefined, 'Europe/Berlin', 'America/Los_Angeles', 'Asia/Kolkata']) {
    const { days } = spendingOf(rows, monthEnd, timeZone)
    t.is(total(days), spent, timeZone)
  }
  t.deepEqual(monthOfSums(), rows)
})

test('nothing spent is one empty day; many buyers are seven and the others', (t) => {
  const { buyers, hours, days } = spendingOf([], now)
  t.deepEqual([buyers, hours.length, days.length], [[], 48, 1])
  const many = Array.from({ length: 12 }, (_, at) => row({ buyer: `j${at}`, spent: BigInt(at) }))
  const shown = spendingOf(many, now)
  t.deepEqual(shown.buyers.slice(0, 2), ['j11', 'j10'])
  t.deepEqual(shown.buyers.slice(6), ['j5', 'others'])
  t.is(total(shown.days), 66n)
})

test('buyers are called as a person knows them', (t) => {
  const rows = ['', '?', '*', 'proxy/wiki', 'a'].map((buyer, at) =>
    row({ buyer, spent: BigInt(9 - at) }),
  )
  const { buyers } = spendingOf(rows, now)
  t.deepEqual(buyers, ['commands', 'not known', 'program wiki', 'a', 'others'])
})

test('the file has every row, in tokens, and no cell of it is a formula', (t) => {
  const rows = [
    row({ buyer: '=HYPERLINK("http://evil")', spent: 1_500n }),
    row({ buyer: '@a,b', receiver: '0x1' }),
    row({ buyer: '-x' }),
  ]
  const nameOf = (address: string) => (address === room ? '+room' : null)
  t.is(
    spendingCsv(rows, { symbol: 'TKN', decimals: 3 }, nameOf),
    [
      'hour,buyer,receiver,spent TKN,purchases,failures',
      `2026-11-21T12:00:00.000Z,"'=HYPERLINK(""http://evil"")",'+room,1.5,1,0`,
      `2026-11-21T12:00:00.000Z,"'@a,b",0x1,0.001,1,0`,
      `2026-11-21T12:00:00.000Z,'-x,'+room,0.001,1,0`,
      '',
    ].join('\r\n'),
  )
  t.regex(spendingCsv(rows, undefined, nameOf), /spent units/)
})

test('sums of a scope are those of its rows', (t) => {
  const rows = [row({ spent: 3n }), row({ buyer: 'b', receiver: '0x1', spent: 4n })]
  t.deepEqual(
    ['all', `receiver/${room}`, 'job/b', 'job/c'].map((scope) => spentIn(rows, scope)),
    [7n, 3n, 4n, 0n],
  )
})

const paces: readonly (readonly [string, Partial<Parameters<typeof lasting>[0]>, unknown])[] = [
  ['half in an hour lasts for another', {}, hour],
  ['longer than the window lasts through it', { ends: hour / 2 }, 'window'],
  ['just to its end is through it', { ends: hour }, 'window'],
  ['ending before that is told', { ends: hour + 1 }, hour],
  ['nothing spent in a window lasts through it', { spent: 0n, ends: hour }, 'window'],
  ['nothing spent without a window says nothing', { spent: 0n }, null],
  ['more than is there is over now', { used: 20n }, 0],
  ['the first moments say no more than ten minutes would', { within: 1 }, 10 * minute],
  ['a pace of ages has no date', { cap: 10n ** 9n }, null],
]
for (const [name, change, expected] of paces) {
  test(`a budget at its pace: ${name}`, (t) => {
    const pace = { cap: 10n, used: 5n, spent: 5n, within: hour, now: 0, ends: undefined }
    t.is(lasting({ ...pace, ...change }), expected as never)
  })
}

test('budgets, sums and the tab in words', (t) => {
  const token = { symbol: 'TKN', decimals: 1 }
  const budget = { owner: 'all', name: '', window: 'day', cap: '20', spent: '20' } as const
  const midnight = Date.UTC(2026, 10, 22)
  const say = (over: { readonly free: number | null } | null) =>
    budgetText({ ...budget, over, lasts: null }, token, now)
  t.is(say({ free: midnight }), 'spent, free again at 00:00 UTC')
  t.is(say({ free: midnight + 9 * day }), 'spent, free again at 2026-12-01')
  t.is(say({ free: null }), 'spent, until it is raised')
  t.is(say(null), '0 of 2 TKN left')
  const lasts = (until: number | 'window' | null, window: 'hour' | 'day' | 'total' = 'day') =>
    lastsText({ ...budget, window, over: null, lasts: until }, now)
  t.is(lasts(now + 5 * hour + 10 * minute), 'lasts until 17:40 UTC')
  t.is(lasts(now + 9 * day), 'lasts until 2026-11-30')
  t.is(lasts('window'), 'lasts through the day')
  t.is(lasts(null), '')
  const sum = { start: 0, label: '', spent: ['3', '4'], purchases: 1, failures: 2 }
  t.is(
    sumText([sum], (text) => `${text} units`),
    '7 units spent on 1 purchase, 2 failed',
  )
  t.is(titleOf({ level: 'ok', reasons: [] }), '✔ µRaiden agent')
  t.is(titleOf({ level: 'failing', reasons: ['a', 'b'] }), '✘ a – µRaiden agent')
})

test('the line of values stays in its drawing, also of one value, and of the same ones', (t) => {
  t.is(points([1, 3, 2]), '3.0,37.0 80.0,3.0 157.0,20.0')
  t.is(points([5]), '3.0,20.0')
  t.is(points([5, 5]), '3.0,20.0 157.0,20.0')
  t.is(sparkText([1, 3, 2]), 'the last 3 values, from 1 to 3')
})
