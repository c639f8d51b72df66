import test from 'ava'
import type { Budget } from '../../../agent/budget/caps.ts'
import type { Ledger, Shortfall, Taken } from '../../../agent/channels/ledger-types.ts'
import type { ClockReading } from '../../../platform/time/clock.ts'
import {
  buy,
  channel,
  ledgerOn,
  newChannel,
  noon,
  otherChannel,
  otherReceiver,
  receiver,
  testClock,
  testDisk,
} from '../../support/ledger.ts'

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

async function withBudget(budget: Budget, reservation = 1) {
  const clock = testClock()
  const disk = testDisk()
  const ledger = await ledgerOn({ disk, clock: clock.read, budget, reservation })
  await ledger.add(newChannel(1_000_000n))
  await ledger.add(newChannel(1_000_000n, otherReceiver))
  return { clock, disk, ledger, budget }
}

async function refused(ledger: Ledger, price: bigint, job?: string): Promise<string | undefined> {
  const taken: Taken | Shortfall = await ledger.take(channel, buy(price, job))
  if (!('short' in taken)) return undefined
  return taken.short === 'budget' ? `${taken.limit.scope} ${taken.limit.window}` : taken.short
}

for (const [window, until] of [
  ['hour', hour + 5 * minute],
  ['day', 12 * hour],
  ['month', 9.5 * day],
] as const) {
  test(`the cap of a ${window} holds to the last unit, and is free again when it is over`, async (t) => {
    const { clock, ledger } = await withBudget({ [window]: 10n })
    t.is(await refused(ledger, 10n), undefined)
    t.is(await refused(ledger, 1n), `all ${window}`)
    clock.pass(until - 1)
    t.is(await refused(ledger, 1n), `all ${window}`)
    clock.pass(1)
    t.is(await refused(ledger, 11n), `all ${window}`)
    t.is(await refused(ledger, 10n), undefined)
  })
}

test('the cap in all is never free again, also after a restart', async (t) => {
  const { clock, disk, ledger, budget } = await withBudget({ total: 10n })
  t.is(await refused(ledger, 6n), undefined)
  await ledger.close()
  clock.pass(1000 * day)
  const again = await ledgerOn({ disk, clock: clock.read, budget, reservation: 1 })
  t.is(await refused(again, 5n), 'all total')
  t.is(await refused(again, 4n), undefined)
})

test('caps of one receiver and of one job bind only those', async (t) => {
  const { ledger } = await withBudget({
    receivers: { [receiver]: { day: 10n } },
    jobs: { night: { total: 3n } },
  })
  t.is(await refused(ledger, 4n, 'night'), 'job/night total')
  t.is(await refused(ledger, 3n, 'night'), undefined)
  t.is(await refused(ledger, 1n, 'night'), 'job/night total')
  t.is(await refused(ledger, 7n, 'noon'), undefined)
  t.is(await refused(ledger, 1n), `receiver/${receiver} day`)
  const other = await ledger.take(otherChannel, buy(500n))
  t.like(other, { channel: otherChannel })
})

test('what is reserved counts, and idle reserves are released when somebody needs them', async (t) => {
  const { ledger } = await withBudget({ total: 100n }, 8)
  await ledger.take(channel, buy(5n))
  t.is(ledger.reserved(), 40n)
  const other = await ledger.take(otherChannel, buy(90n))
  t.like(other, { interval: { from: 0n, to: 90n } })
  t.true(ledger.reserved() <= 100n)
  t.is(await refused(ledger, 6n), 'all total')
  t.is(await refused(ledger, 5n), undefined)
})

test('what a receiver gives back is budget again', async (t) => {
  const { ledger } = await withBudget({ hour: 10n, jobs: { a: { day: 10n } } })
  const taken = await ledger.take(channel, buy(10n, 'a'))
  t.is(await refused(ledger, 1n, 'a'), 'job/a day')
  ledger.settle(taken as Taken, 4n)
  t.is(await refused(ledger, 6n, 'a'), undefined)
  t.is(await refused(ledger, 1n), 'all hour')
})

test('after a crash what may have been signed counts in every window and for every job', async (t) => {
  const budget = { day: 100n, jobs: { a: { day: 20n } } }
  const { clock, disk, ledger } = await withBudget(budget, 4)
  await ledger.take(channel, buy(5n, 'a'))
  clock.pass(2 * day)
  const after = await ledgerOn({ disk, clock: clock.read, budget, reservation: 4 })
  t.like(after.limits(['all'])[0], { used: 20n })
  t.like(after.limits(['job/a'])[0], { used: 20n })
  await after.correct(channel, 5n)
  // The rest is reserved, the five were spent at a time that nobody knows: they count as of now.
  t.like(after.limits(['all'])[0], { used: 20n })
  t.like(after.limits(['job/a'])[0], { used: 5n })
})

test('days begin at midnight of the configured zone', async (t) => {
  const clock = testClock()
  const budget = { day: 10n }
  const ledger = await ledgerOn({
    clock: clock.read,
    budget,
    reservation: 1,
    timeZone: 'Asia/Tokyo',
  })
  await ledger.add(newChannel(1000n))
  await refused(ledger, 10n)
  clock.pass(3 * hour - 1)
  t.is(await refused(ledger, 1n), 'all day')
  clock.pass(1)
  t.is(await refused(ledger, 1n), undefined)
})

const everyWindow: Budget = { hour: 10n, day: 10n, month: 10n }

const tricks: readonly {
  readonly when: string
  readonly change: (now: ClockReading) => Partial<ClockReading>
}[] = [
  { when: 'the clock runs backwards', change: ({ wall }) => ({ wall: wall - 3 * day }) },
  { when: 'it is 1970 again', change: () => ({ wall: 0 }) },
  { when: 'an unsynchronised clock jumps', change: () => ({ wall: 2e12, synchronised: false }) },
  {
    when: 'a synchronised clock is set forward',
    change: ({ wall }) => ({ wall: wall + 40 * day }),
  },
  {
    when: 'the machine starts anew in 1970',
    change: () => ({ wall: 1000, uptime: 1000, boot: 'second', synchronised: false }),
  },
  {
    when: 'the machine starts anew with a clock that is far ahead and not synchronised',
    change: () => ({ wall: 4e12, uptime: 1000, boot: 'second', synchronised: false }),
  },
]

for (const { when, change } of tricks) {
  test(`${when}: no budget is free`, async (t) => {
    const { clock, disk, ledger } = await withBudget(everyWindow)
    t.is(await refused(ledger, 10n), undefined)
    clock.set(change(noon))
    t.truthy(await refused(ledger, 1n))
    await ledger.close()
    const again = await ledgerOn({ disk, clock: clock.read, budget: everyWindow, reservation: 1 })
    t.truthy(await refused(again, 1n))
  })
}

test('the machine was off for a day, and its clock was and is synchronised: the day is over', async (t) => {
  const { clock, disk, ledger } = await withBudget({ day: 10n, hour: 10n })
  await refused(ledger, 10n)
  await ledger.close()
  clock.set({ wall: noon.wall + day, uptime: minute, boot: 'second' })
  const again = await ledgerOn({ disk, clock: clock.read, budget: everyWindow, reservation: 1 })
  t.is(await refused(again, 1n), 'all month')
  t.like(again.limits(['all']), [
    { window: 'hour', used: 0n },
    { window: 'day', used: 0n },
  ])
})

test('a first start in 1970: when the clock is synchronised, what was spent is of today', async (t) => {
  const clock = testClock()
  clock.set({ wall: 5000, synchronised: false })
  const ledger = await ledgerOn({ clock: clock.read, budget: everyWindow, reservation: 1 })
  await ledger.add(newChannel(1000n))
  await refused(ledger, 10n)
  clock.set({ wall: noon.wall, synchronised: true })
  t.truthy(await refused(ledger, 1n))
  clock.pass(hour + 5 * minute)
  t.like(ledger.limits(['all']), [
    { window: 'hour', used: 0n },
    { window: 'day', used: 10n },
    { window: 'month', used: 10n },
  ])
})

test('what a receiver is paid in a day: by the last hour at first, then by the last day and this one', async (t) => {
  const { clock, ledger } = await withBudget({})
  const perDay = () => ledger.perDay(receiver).amount
  t.is(perDay(), 0n)
  // Ten at once may have been all; so they are those of ten minutes.
  t.is(await refused(ledger, 10n), undefined)
  t.is(perDay(), 1440n)
  clock.pass(20 * minute)
  t.is(await refused(ledger, 10n), undefined)
  t.is(perDay(), 1440n)
  t.is(ledger.perDay(otherReceiver).amount, 0n)
  t.is(ledger.perDay(receiver).by, 'hour')
  // The next day knows what the one before was.
  clock.pass(12 * hour)
  t.deepEqual(ledger.perDay(receiver), { amount: 20n, by: 'day' })
  t.is(await refused(ledger, 5n), undefined)
  t.is(perDay(), 20n)
  t.is(await refused(ledger, 30n), undefined)
  t.is(perDay(), 35n)
  // A day without payments is none of use.
  clock.pass(3 * day)
  t.is(perDay(), 35n)
  t.is(await refused(ledger, 1n), undefined)
  t.is(perDay(), 35n)
})

test('how much is used is known after a restart', async (t) => {
  const { clock, disk, ledger, budget } = await withBudget({})
  t.is(await refused(ledger, 10n), undefined)
  clock.pass(day)
  t.is(await refused(ledger, 3n), undefined)
  await ledger.close()
  const again = await ledgerOn({ disk, clock: clock.read, budget, reservation: 1 })
  t.deepEqual(again.perDay(receiver), { amount: 10n, by: 'day' })
})
