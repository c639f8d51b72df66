// Jobs whose budget is spent: with the ledger's own accounts, and a clock that passes when the test says so.
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { createAccounts } from '../../../agent/budget/accounts.ts'
import { type Budget, budgetSpent, left, tightest } from '../../../agent/budget/caps.ts'
import type { AgentResponse, SentPayment } from '../../../agent/index.ts'
import { jobsOf } from '../../../agent/jobs/configured.ts'
import { continuesWhen } from '../../../agent/jobs/continues.ts'
import { openJobs } from '../../../agent/jobs/open.ts'
import type { Buyer } from '../../../agent/jobs/purchase.ts'
import { jobSchema } from '../../../agent/jobs/schema.ts'
import type { JobEvent } from '../../../agent/jobs/types.ts'
import { calendar } from '../../../platform/time/calendar.ts'
import { temporaryFolder } from '../../support/folder.ts'
import { every, type ManualClock, manualClock } from '../../support/manual-clock.ts'
import { owner } from '../../support/outbox.ts'
import { until } from '../../support/until.ts'

const minute = 60_000
const hour = 60 * minute
const token = { symbol: 'TKN', decimals: 0 }
const price = 5n
const scopes = ['all', 'job/reading'] as const

/** What an agent does with a price: asks the receiver for it, then its own books. */
function shop(clock: ManualClock, lag = 0) {
  let budget: Budget = {}
  let requests = 0
  let broken = false
  const spent: Parameters<ReturnType<typeof createAccounts>['spend']>[] = []
  const readClock = () => {
    return { wall: clock.now(), uptime: clock.passed(), boot: 'a', synchronised: true }
  }
  const open = () =>
    createAccounts({
      budget,
      readClock,
      date: calendar(),
      // Proven time is a little behind the wall's, as after a clock that was set by less than counts.
      clock: { time: clock.now() - lag, reading: readClock() },
      spent: new Map(),
    })
  let accounts = open()
  const limits = () => scopes.flatMap((scope) => accounts.limits(scope, 0n))
  const buyer: Buyer = {
    limits,
    request: async () => {
      requests++
      if (broken) throw new Error('it is broken')
      const limit = tightest(limits())
      if (limit !== undefined && left(limit) < price) {
        const freeAt = accounts.freeAt(limit, price)
        throw budgetSpent(price, { limit, available: left(limit), freeAt }, token)
      }
      accounts.spend(scopes, price)
      spent.push([scopes, price])
      const body = Buffer.from('{}')
      const payment = { price, cost: price, channel: '0x1/1' as SentPayment['channel'] }
      return { status: 200, answer: { headers: {}, body }, payment } as unknown as AgentResponse
    },
    repeatPayment: async () => {
      throw new Error('nothing is open')
    },
  }
  return {
    buyer,
    requests: () => requests,
    fail: (now: boolean) => {
      broken = now
    },
    /** As a new configuration has it: what was spent stays. */
    cap: (changed: Budget) => {
      budget = changed
      accounts = open()
      for (const each of spent) accounts.spend(...each)
    },
    budget: () => budget,
  }
}

async function given(
  t: ExecutionContext,
  budget: Budget,
  more: { lag?: number; job?: object } = {},
) {
  const clock = manualClock(Date.UTC(2026, 10, 21, 23, 30))
  const { lag, job = {} } = more
  const { cap, ...place } = shop(clock, lag)
  cap(budget)
  const folder = await temporaryFolder(t)
  const events: JobEvent[] = []
  const start = async (change: object = {}) => {
    const config = jobSchema.parse({
      ...{ get: 'http://receiver/reading', every: '5m', retry: { times: 0 } },
      ...{ sinks: [{ file: join(folder, 'out.jsonl') }], ...job, ...change },
    })
    const jobs = await openJobs({
      jobs: jobsOf({ reading: config }, token),
      buyer: place.buyer,
      resolve: (target) => new URL(target),
      folder: join(folder, 'jobs'),
      owner,
      circumstances: () => place.budget(),
      onEvent: (event) => events.push(event),
      clock,
      timetable: () => every(5 * minute, clock),
    })
    t.teardown(() => jobs.stop(0))
    await jobs.start()
    return jobs
  }
  const runs = () => events.filter(({ kind }) => kind === 'run').length
  const said = () =>
    events.map(({ kind }) => kind).filter((kind) => kind !== 'run' && kind !== 'skipped')
  const jobs = await start()
  /** Until the next moment, and the run that begins there. */
  const next = async () => {
    const before = runs()
    clock.pass(5 * minute)
    await until(() => runs() > before)
  }
  return { clock, events, runs, said, jobs, start, next, cap, ...place }
}

test('a spent budget is a state: no failure, said once, no request before midnight', async (t) => {
  const { jobs, clock, next, said, runs, requests } = await given(t, { day: 10n })
  for (let run = 0; run < 3; run++) await next()
  const midnight = Date.UTC(2026, 10, 22)
  t.like(jobs.status()[0], {
    state: 'budgetSpent',
    next: midnight,
    failures: 0,
    last: { kind: 'done' },
    spent: { code: 'budget_day_spent', scope: 'all', window: 'day', until: midnight },
  })
  t.deepEqual([requests(), runs(), said()], [3, 3, ['budgetSpent']])
  clock.pass(15 * minute - 1)
  t.is(requests(), 3)
  clock.pass(1)
  await until(() => runs() === 4)
  t.deepEqual([requests(), said()], [4, ['budgetSpent']])
  t.like(jobs.status()[0], { state: 'waiting', spent: undefined, failures: 0 })
})

test('days of a spent budget slow nothing down, and are said once a day', async (t) => {
  const { jobs, clock, next, said, runs } = await given(t, { day: 5n })
  await next()
  for (let day = 0; day < 12; day++) {
    await next()
    clock.pass(24 * hour - 10 * minute)
    await until(() => runs() === 3 + 2 * day)
  }
  t.deepEqual(said(), Array(12).fill('budgetSpent'))
  t.like(jobs.status()[0], { failures: 0 })
})

test('where the ledger’s midnight is a moment later, the run that is due there waits for it', async (t) => {
  const { clock, next, requests, jobs } = await given(t, { day: 5n }, { lag: 700 })
  await next()
  await next()
  clock.pass(20 * minute + 699)
  const before = requests()
  clock.pass(1)
  await until(() => jobs.status()[0]?.last?.began === Date.UTC(2026, 10, 22) + 700)
  t.is(requests(), before + 1)
})

test('a budget that has room again sooner is not waited for', async (t) => {
  const { next, cap, runs, jobs } = await given(t, { total: 5n })
  await next()
  await next()
  t.like(jobs.status()[0], { state: 'budgetSpent', next: undefined, spent: { until: undefined } })
  // As after a payment that came back.
  cap({ total: 10n })
  await next()
  t.is(runs(), 3)
  t.like(jobs.status()[0], { state: 'waiting', last: { kind: 'done' } })
})

test('a raised budget and a reload set it going at once; a reload without one asks nobody', async (t) => {
  const { jobs, clock, next, start, cap, runs, requests, said } = await given(t, { day: 5n })
  await next()
  await next()
  await jobs.stop()
  const same = await start()
  t.like(same.status()[0], { state: 'budgetSpent', next: Date.UTC(2026, 10, 22) })
  clock.pass(5 * minute)
  t.is(requests(), 2)
  await same.stop()
  cap({ day: 10n })
  const raised = await start()
  // No time has passed.
  await until(() => runs() === 3)
  t.like(raised.status()[0], { state: 'waiting', last: { kind: 'done' } })
  t.deepEqual(said(), ['budgetSpent'])
})

test('a reload takes a changed job’s slowness away, and leaves that of another', async (t) => {
  const { jobs, next, start, fail, runs, clock } = await given(t, {})
  fail(true)
  for (let run = 0; run < 10; run++) await next()
  t.like(jobs.status()[0], { state: 'slowed', failures: 10 })
  await jobs.stop()
  const same = await start()
  t.like(same.status()[0], { state: 'slowed', failures: 10 })
  await same.stop()
  const changed = await start({ headers: { Accept: 'text/csv' } })
  t.like(changed.status()[0], { state: 'waiting', failures: 0 })
  fail(false)
  clock.pass(5 * minute)
  await until(() => runs() === 11)
  t.like(changed.status()[0], { failures: 0, last: { kind: 'done' } })
})

test('when it continues, in words', (t) => {
  const now = Date.UTC(2026, 10, 21, 10)
  const midnight = Date.UTC(2026, 10, 22)
  t.is(continuesWhen(midnight + 3, now), 'at 00:00 UTC')
  t.is(continuesWhen(midnight - 3, now), 'at 00:00 UTC')
  t.is(continuesWhen(Date.UTC(2026, 11, 1), now), 'at 2026-12-01 00:00 UTC')
  t.is(continuesWhen(undefined, now), 'when it is raised')
})
