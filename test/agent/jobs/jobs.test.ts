// Jobs with a buyer that does what a test says: when they run, what they remember, what they never do.
import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import type { AgentResponse, RequestOptions, SentPayment } from '../../../agent/index.ts'
import { jobsOf } from '../../../agent/jobs/configured.ts'
import { type JobsOptions, openJobs } from '../../../agent/jobs/open.ts'
import type { Buyer } from '../../../agent/jobs/purchase.ts'
import { jobSchema } from '../../../agent/jobs/schema.ts'
import type { JobEvent } from '../../../agent/jobs/types.ts'
import { UraidenError } from '../../../protocol/index.ts'
import { crashCopy, temporaryFolder } from '../../support/folder.ts'
import { every, type ManualClock, manualClock } from '../../support/manual-clock.ts'
import { owner } from '../../support/outbox.ts'
import { until } from '../../support/until.ts'

const minute = 60_000
const price = 5n

/** What happens to a request. */
type Step = 'serve' | 'lose' | 'unreachable' | 'refuse' | 'supersede' | 500 | 404 | 'hang'

/** A receiver that knows what it was paid for, and an agent in front of it. */
function fakeBuyer(steps: readonly Step[] = []) {
  const queue = [...steps]
  const paid = new Map<string, number>()
  const held: (() => void)[] = []
  const bounds: (number | undefined)[] = []
  let served = 0
  let payments = 0
  const error = (code: string) => new UraidenError({ code, message: code, hint: '' })
  const answer = (number: number, cost = price, status = 200): AgentResponse => {
    const body = Buffer.from(`{"number":${number}}`)
    const headers = { 'content-type': 'application/json' }
    return {
      status,
      answer: { status, headers, body } as unknown as AgentResponse['answer'],
      payment: {
        ...{ price, cost, channel: '0x1/1' as SentPayment['channel'], balance: price },
        authentic: false,
      },
      roundTrips: 1,
      text: () => `${body}`,
      json: () => JSON.parse(`${body}`),
    }
  }
  async function respond(key: string, signal: AbortSignal | undefined): Promise<AgentResponse> {
    const step = queue.shift() ?? 'serve'
    if (step === 'unreachable') throw error('receiver_unreachable')
    if (step === 'refuse') throw error('payment_spent')
    if (step === 'supersede') throw error('payment_superseded')
    if (step === 500 || step === 404) return answer(0, 0n, step)
    const number = paid.get(key) ?? ++served
    paid.set(key, number)
    if (step === 'lose') throw error('answer_lost')
    if (step === 'hang') {
      await new Promise<void>((resolve, reject) => {
        held.push(resolve)
        signal?.addEventListener('abort', () => reject(error('aborted')))
      })
    }
    return answer(number)
  }
  const buyer: Buyer = {
    request: async (_url, options: RequestOptions = {}) => {
      const { idempotencyKey: key = '', signal } = options
      bounds.push(options.mostBody)
      payments++
      const payment = {
        headers: {},
        receiver: owner.account,
        channel: '0x1/1',
        price,
        authentic: false,
        balance: price,
      }
      await options.onPayment?.({ ...payment, key } as SentPayment)
      return respond(key, signal)
    },
    repeatPayment: (_url, { key = '' }, options) => {
      bounds.push(options?.mostBody)
      return respond(key, options?.signal)
    },
  }
  return { buyer, steps: queue, held, bounds, served: () => served, payments: () => payments }
}

async function start(
  t: ExecutionContext,
  job: object,
  options: Partial<JobsOptions> & {
    readonly steps?: readonly Step[]
    readonly folder?: string
    readonly clock?: ManualClock
  } = {},
) {
  const { steps = [], clock = manualClock(), folder: given, ...rest } = options
  const folder = given ?? (await temporaryFolder(t))
  const shop = fakeBuyer(steps)
  const events: JobEvent[] = []
  const file = join(folder, 'out.jsonl')
  const config = jobSchema.parse({
    get: 'http://receiver/reading',
    every: '*/5 * * * *',
    retry: { times: 0 },
    sinks: [{ file }],
    ...job,
  })
  const jobs = await openJobs({
    jobs: jobsOf({ reading: config }, { symbol: 'TKN', decimals: 0 }),
    buyer: shop.buyer,
    resolve: (target) => new URL(target),
    folder: join(folder, 'jobs'),
    owner,
    onEvent: (event) => events.push(event),
    syncInterval: 5,
    clock,
    timetable: () => every(5 * minute, clock),
    random: () => 0.5,
    ...rest,
  })
  let stopped = false
  const stop = async (grace?: number) => {
    if (!stopped) await jobs.stop(grace)
    stopped = true
  }
  t.teardown(() => stop(0))
  await jobs.start()
  const runs = () => events.flatMap((event) => (event.kind === 'run' ? [event.outcome] : []))
  const skipped = () => events.flatMap((event) => (event.kind === 'skipped' ? [event.reason] : []))
  const numbers = async () =>
    (await readFile(file, 'utf8'))
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line).data.number)
  /** Lets time pass until the next run has ended. */
  const nextRun = async () => {
    const before = runs().length
    clock.pass(5 * minute)
    await until(() => runs().length > before)
  }
  return { jobs, clock, events, runs, skipped, numbers, nextRun, folder, stop, ...shop }
}

test('a job buys at each of its moments, and what it bought is in the file', async (t) => {
  const { nextRun, runs, numbers, jobs, clock } = await start(t, {})
  const began = clock.now()
  for (let run = 0; run < 3; run++) await nextRun()
  await until(async () => jobs.status()[0]?.sinks[0]?.waiting === 0)
  t.deepEqual(await numbers(), [1, 2, 3])
  t.like(runs()[0], { kind: 'done', cause: 'schedule', status: 200, bytes: 12, unfit: [] })
  t.deepEqual((runs()[0] as { readonly payment: unknown }).payment, { price, cost: price })
  t.like(jobs.status()[0], {
    name: 'reading',
    state: 'waiting',
    next: began + 20 * minute,
    failures: 0,
    last: { kind: 'done', cost: '5', price: '5', began: began + 15 * minute },
  })
})

test('the last values are kept over restarts and failures, and over a change of the job', async (t) => {
  const clock = manualClock()
  const first = await start(t, {}, { clock, steps: ['serve', 'serve', 500] })
  for (let run = 0; run < 3; run++) await first.nextRun()
  t.like(first.jobs.status()[0], { every: '*/5 * * * *', failures: 1 })
  t.deepEqual(first.jobs.status()[0]?.values, { numbers: [1, 2], last: '2' })
  await first.stop()
  const change = { mostPrice: '9 TKN', sinks: [{ file: '/dev/null', select: '$.number' }] }
  const { jobs, nextRun } = await start(t, change, { clock, folder: first.folder })
  t.deepEqual(jobs.status()[0]?.values, { numbers: [1, 2], last: '2' })
  await nextRun()
  t.deepEqual(jobs.status()[0]?.values?.numbers, [1, 2, 1])
})

test('jitter delays a run, and no other', async (t) => {
  const { clock, payments, runs } = await start(t, { jitter: '60s' })
  clock.pass(5 * minute + 29_999)
  t.is(payments(), 0)
  clock.pass(1)
  await until(() => runs().length === 1)
  t.is(payments(), 1)
})

test('a lost answer is asked for with the same payment, and paid once', async (t) => {
  const { nextRun, runs, payments, served } = await start(
    t,
    { retry: { times: 3, delay: '1ms' } },
    { steps: ['lose', 'lose', 'unreachable', 'serve'] },
  )
  await nextRun()
  t.like(runs()[0], { kind: 'done' })
  t.deepEqual([payments(), served()], [1, 1])
})

test('an answer that stays away is asked for by the next run before it pays', async (t) => {
  const { nextRun, runs, payments, numbers, jobs } = await start(t, {}, { steps: ['lose'] })
  await nextRun()
  t.like(runs()[0], { kind: 'failed', payment: 'open', error: { code: 'answer_lost' } })
  await nextRun()
  await until(() => runs().length === 3)
  t.like(runs()[1], { kind: 'done', cause: 'crash' })
  t.is(runs()[1]?.id, runs()[0]?.id)
  t.like(runs()[2], { kind: 'done', cause: 'schedule' })
  t.is(payments(), 2)
  await until(() => jobs.status()[0]?.sinks[0]?.waiting === 0)
  t.deepEqual(await numbers(), [1, 2])
})

test('while it cannot be asked for, nothing new is paid', async (t) => {
  const steps: readonly Step[] = ['lose', 'unreachable', 'unreachable', 'serve']
  const { nextRun, runs, payments } = await start(t, {}, { steps })
  for (let run = 0; run < 3; run++) await nextRun()
  t.deepEqual(
    runs().map((outcome) => (outcome.kind === 'failed' ? outcome.payment : 'done')),
    ['open', 'open', 'open'],
  )
  t.is(payments(), 1)
})

test('an answer that cannot be had any more is told as spent, and the job goes on', async (t) => {
  const { nextRun, runs } = await start(t, {}, { steps: ['lose', 'refuse', 'serve'] })
  await nextRun()
  await nextRun()
  await until(() => runs().length === 3)
  t.like(runs()[1], { kind: 'failed', payment: 'spent', error: { code: 'payment_spent' } })
  t.like(runs()[2], { kind: 'done' })
})

test('a payment that was not taken after all is bought anew in the same run', async (t) => {
  const steps: readonly Step[] = ['lose', 'supersede', 'serve']
  const { nextRun, runs, payments } = await start(
    t,
    { retry: { times: 3, delay: '1ms' } },
    { steps },
  )
  await nextRun()
  await until(() => runs().length === 1)
  t.like(runs()[0], { kind: 'done' })
  t.is(payments(), 2)
})

test('the next run is told that a payment of an earlier one was not taken, and buys', async (t) => {
  const { nextRun, runs } = await start(t, {}, { steps: ['lose', 'supersede', 'serve'] })
  await nextRun()
  await nextRun()
  await until(() => runs().length === 3)
  t.like(runs()[1], { kind: 'failed', payment: 'none', error: { code: 'payment_superseded' } })
  t.like(runs()[2], { kind: 'done' })
})

test('after a crash between paying and keeping, the next process asks for the answer', async (t) => {
  const first = await start(t, {}, { steps: ['hang'] })
  first.clock.pass(5 * minute)
  await until(() => first.held.length === 1)
  const copy = join(first.folder, 'crashed')
  await crashCopy(join(first.folder, 'jobs'), join(copy, 'jobs'))
  const second = await start(t, {}, { folder: copy, clock: first.clock })
  t.like(second.runs()[0], { kind: 'done', cause: 'crash' })
  t.is(second.payments(), 0)
  await until(() => second.jobs.status()[0]?.sinks[0]?.waiting === 0)
  t.deepEqual(await second.numbers(), [1])
})

for (const { status, tries } of [
  { status: 500, tries: 3 },
  { status: 404, tries: 1 },
] as const) {
  test(`an answer with status ${status} is tried ${tries} times, and is no data`, async (t) => {
    const { nextRun, runs, payments } = await start(
      t,
      { retry: { times: 2, delay: '1ms' } },
      { steps: [status, status, status] },
    )
    await nextRun()
    t.like(runs()[0], { kind: 'failed', payment: 'none' })
    t.is(payments(), tries)
  })
}

test('while a run is under way the next one is skipped, queued once, or allowed', async (t) => {
  const counts: Record<string, unknown> = {}
  for (const overlap of ['skip', 'queue', 'allow']) {
    const { clock, held, skipped, payments, jobs } = await start(
      t,
      { overlap },
      { steps: ['hang', 'hang', 'hang'] },
    )
    clock.pass(15 * minute)
    await until(() => held.length === (overlap === 'allow' ? 3 : 1))
    await until(() => {
      held.shift()?.()
      return jobs.status()[0]?.state !== 'running'
    })
    counts[overlap] = { runs: payments(), skipped: skipped() }
  }
  t.deepEqual(counts, {
    skip: { runs: 1, skipped: ['overlap', 'overlap'] },
    queue: { runs: 2, skipped: ['overlap'] },
    allow: { runs: 3, skipped: [] },
  })
})

for (const { missed, away, does } of [
  { missed: 'run', away: 62 * minute, does: 'run once' },
  { missed: 'skip', away: 62 * minute, does: 'skip' },
  { missed: 'run', away: 2 * minute, does: 'nothing' },
]) {
  test(`off for ${away / minute} minutes, rule ${missed}: ${does}`, async (t) => {
    const clock = manualClock()
    const first = await start(t, { missed }, { clock })
    await first.nextRun()
    await first.stop()
    clock.set(clock.now() + away)
    const second = await start(t, { missed }, { clock, folder: first.folder })
    if (does === 'run once') await until(() => second.runs().length === 1)
    t.deepEqual(
      second.runs().map(({ cause }) => cause),
      does === 'run once' ? ['missed'] : [],
    )
    t.deepEqual(second.skipped(), does === 'skip' ? ['missed'] : [])
    t.like(second.jobs.status()[0], { last: { kind: 'done' } })
  })
}

test('a job whose schedule was changed meanwhile has missed nothing', async (t) => {
  const clock = manualClock()
  const first = await start(t, { missed: 'run' }, { clock })
  await first.nextRun()
  await first.stop()
  clock.set(clock.now() + 60 * minute)
  const changed = { missed: 'run', every: '*/7 * * * *' }
  const second = await start(t, changed, { clock, folder: first.folder })
  t.deepEqual(second.events, [])
})

test('ten failures: said once, then slower up to an hour; one success, and it is as before', async (t) => {
  const steps = Array<Step>(14).fill('unreachable')
  const { clock, events, runs, skipped, nextRun, jobs, payments } = await start(
    t,
    {},
    { steps, slow: { after: 10, first: 10 * minute, most: 20 * minute } },
  )
  for (let run = 0; run < 10; run++) await nextRun()
  t.like(jobs.status()[0], { state: 'slowed', failures: 10, next: clock.now() + 10 * minute })
  clock.pass(5 * minute)
  t.deepEqual(skipped(), ['slowed'])
  // A clock that is set neither ends the wait nor makes it longer.
  clock.set(clock.now() + 365 * 24 * 60 * minute)
  t.like(jobs.status()[0], { state: 'slowed' })
  clock.set(clock.now() - 365 * 24 * 60 * minute)
  t.like(jobs.status()[0], { state: 'slowed' })
  /** Lets moments pass until one of them is late enough. */
  const nextSlowRun = async () => {
    const before = runs().length
    await until(() => {
      if (runs().length > before) return true
      if (jobs.status()[0]?.state !== 'running') clock.pass(5 * minute)
      return false
    })
  }
  for (let run = 0; run < 4; run++) await nextSlowRun()
  t.is(payments(), 14)
  t.is(events.filter(({ kind }) => kind === 'failing').length, 1)
  await nextSlowRun()
  t.deepEqual(events.at(-1), { kind: 'recovered', job: 'reading', failures: 14 })
  t.like(jobs.status()[0], { state: 'waiting', failures: 0 })
  await nextRun()
  t.is(runs().length, 16)
})

test('paused over a restart, run by hand all the same, and resumed', async (t) => {
  const clock = manualClock()
  const first = await start(t, {}, { clock })
  await first.jobs.pause('reading')
  await first.stop()
  const { jobs, skipped, runs, nextRun } = await start(t, {}, { clock, folder: first.folder })
  t.like(jobs.status()[0], { state: 'paused', next: undefined })
  clock.pass(5 * minute)
  t.deepEqual(skipped(), ['paused'])
  t.like(await jobs.run('reading'), { kind: 'done', cause: 'command' })
  await jobs.resume()
  await nextRun()
  t.is(runs().length, 2)
})

test('a job that is running is not run a second time by hand; one that is not there is named', async (t) => {
  const { jobs, clock, held } = await start(t, {}, { steps: ['hang'] })
  clock.pass(5 * minute)
  await until(() => held.length === 1)
  await t.throwsAsync(jobs.run('reading'), { code: 'job_running' })
  await t.throwsAsync(async () => jobs.run('weather'), {
    code: 'job_unknown',
    message: 'There is no job weather.',
  })
  held[0]?.()
})

test('a sink whose full queue says so keeps the job from buying', async (t) => {
  const queue = { entries: 1, whenFull: 'pause' }
  const { nextRun, clock, skipped, payments } = await start(t, {
    sinks: [{ file: '/dev/null/not/a/folder', queue }],
  })
  await nextRun()
  clock.pass(5 * minute)
  t.deepEqual(skipped(), ['sinkFull'])
  t.is(payments(), 1)
})

test('a body without what a sink picks goes to the others, and the outcome says so', async (t) => {
  const { nextRun, runs, jobs } = await start(t, {
    sinks: [{ command: ['/bin/cat'], select: '$.celsius' }, { file: '/dev/null' }],
  })
  await nextRun()
  t.like(runs()[0], { kind: 'done', unfit: ['command:/bin/cat'] })
  t.deepEqual(jobs.status()[0]?.last?.unfit, ['command:/bin/cat'])
})

for (const select of ['$.humidity', '$.celsius[0]']) {
  test(`a body of which no sink gets anything is no run that went well: ${select}`, async (t) => {
    const { nextRun, runs, jobs } = await start(t, {
      sinks: [
        { command: ['/bin/cat'], select },
        { file: '/dev/null', template: `{{ ${select} }}` },
      ],
    })
    await nextRun()
    const error = { code: 'answer_unfit' }
    t.like(runs()[0], { kind: 'failed', payment: 'spent', error })
    t.like(jobs.status()[0], { failures: 1, last: { kind: 'failed', error } })
  })
}

test('a stop waits for a run, and calls it off after its grace; its payment is not lost', async (t) => {
  const clock = manualClock()
  const first = await start(t, {}, { clock, steps: ['hang'] })
  clock.pass(5 * minute)
  await until(() => first.held.length === 1)
  await first.stop(1)
  t.like(first.runs()[0], { kind: 'failed', payment: 'open', error: { code: 'aborted' } })
  const second = await start(t, {}, { clock, folder: first.folder })
  t.like(second.runs()[0], { kind: 'done', cause: 'crash' })
  t.like(second.jobs.status()[0], { failures: 0 })
})

test('two processes never use the same queues', async (t) => {
  const first = await start(t, {})
  await t.throwsAsync(start(t, {}, { folder: first.folder }), { code: 'state_in_use' })
})

/** A Pi without a battery before it has heard from a time server. */
const boot1970 = 60_000
const now2026 = Date.UTC(2026, 10, 21, 12, 1)

for (const missed of ['skip', 'run'] as const) {
  test(`the clock is not set at the start: jobs run by it, and when it is set ${missed === 'run' ? 'one run stands' : 'nothing runs'} for all between`, async (t) => {
    const clock = manualClock(boot1970)
    const { runs, skipped, jobs, nextRun } = await start(t, { missed }, { clock })
    await nextRun()
    await nextRun()
    clock.set(now2026)
    clock.pass(minute)
    await until(() => (missed === 'run' ? runs().length === 3 : skipped().length === 1))
    await until(() => jobs.status()[0]?.state === 'waiting')
    t.is(jobs.status()[0]?.next, Date.UTC(2026, 10, 21, 12, 5))
    await nextRun()
    t.is(runs().length, missed === 'run' ? 4 : 3)
    t.deepEqual(skipped(), missed === 'run' ? [] : ['missed'])
  })
}

test('a start in 1970 after one in 2026 runs by the clock that it has, and again when that is set', async (t) => {
  const before = await start(t, {}, { clock: manualClock(now2026) })
  await before.nextRun()
  await before.stop()
  const clock = manualClock(boot1970)
  const { folder } = before
  const { runs, skipped, jobs, nextRun } = await start(t, {}, { clock, folder })
  await nextRun()
  t.is(runs().length, 1)
  clock.set(now2026 + 60 * minute)
  clock.pass(minute)
  await until(() => skipped().length === 1)
  await until(() => jobs.status()[0]?.state === 'waiting')
  await nextRun()
  t.is(runs().length, 2)
})

test('a job that was slowed is not held back for decades when the clock is set back', async (t) => {
  const steps = Array.from({ length: 10 }, (): Step => 'unreachable')
  const clock = manualClock(now2026)
  const { runs, nextRun, jobs } = await start(t, {}, { clock, steps })
  for (let run = 0; run < 10; run++) await nextRun()
  t.is(jobs.status()[0]?.failures, 10)
  clock.set(boot1970)
  for (let step = 0; step < 26 && runs().length === 10; step++) {
    clock.pass(5 * minute)
    await until(() => jobs.status()[0]?.state !== 'running')
  }
  await until(() => runs().length === 11)
  t.like(runs()[10], { kind: 'done' })
})

const bounds = [
  [{}, 4_000_000],
  [{ mostBody: '1 MB' }, 1_000_000],
  [{ mostBody: '32 MB' }, 10_000_000],
  [{ mostBody: '2 MB', sinks: [{ file: 'x', queue: { size: '1 MB' } }] }, 1_000_000],
  [{ sinks: [{ file: 'x', queue: { size: '1 MB' } }, { command: 'y' }] }, 4_000_000],
  [{ mostBody: '32 MB', sinks: [{ file: 'x', select: '$.a' }] }, 32_000_000],
  [{ mostBody: '32 MB', sinks: [{ file: 'x', queue: { whenFull: 'pause' } }] }, 32_000_000],
] as const
for (const [job, expected] of bounds) {
  test(`of ${JSON.stringify(job)} ${expected} bytes are read`, (t) => {
    const config = jobSchema.parse({ get: 'a', every: '* * * * *', sinks: [{ file: 'x' }], ...job })
    const [only] = jobsOf({ reading: config }, { symbol: 'TKN', decimals: 0 })
    t.is(only?.job.mostBody, expected)
  })
}

test('both the first try and the one for a lost answer are bounded', async (t) => {
  const { nextRun, bounds: asked } = await start(t, { mostBody: '1 MB' }, { steps: ['lose'] })
  await nextRun()
  await nextRun()
  t.deepEqual(asked.slice(0, 2), [1_000_000, 1_000_000])
})

test('a flush gives what is left of the jobs to be kept elsewhere: their state is not written, and a power cut takes nothing', async (t) => {
  const folder = await temporaryFolder(t)
  const [state, spool] = [join(folder, 'jobs'), join(folder, 'spool')]
  const { jobs, nextRun, numbers } = await start(t, {}, { folder, spool })
  const opened = await sizesIn(state)
  for (let run = 0; run < 3; run++) await nextRun()
  let kept: unknown
  await jobs.flush(async (copy) => {
    t.deepEqual(await numbers(), [1, 2, 3], 'the lines are about to be synced')
    kept = JSON.parse(JSON.stringify(copy))
  })
  t.deepEqual(await sizesIn(state), opened)
  const { last } = jobs.status()[0] ?? {}
  t.like(last, { kind: 'done' })
  for (const copy of [kept, undefined]) {
    const cut = await temporaryFolder(t)
    await crashCopy(state, join(cut, 'jobs'))
    const after = await start(t, {}, { folder: cut, spool: join(cut, 'spool'), copy })
    t.deepEqual(after.jobs.status()[0]?.last, copy && last)
    await after.stop()
  }
})

test('a flush keeps what waits for a sink in the jobs’ own state', async (t) => {
  const folder = await temporaryFolder(t)
  await writeFile(join(folder, 'file'), '')
  const sinks = [{ file: join(folder, 'file', 'out.jsonl') }]
  const { jobs, nextRun } = await start(t, { sinks }, { folder, spool: join(folder, 'spool') })
  await nextRun()
  await jobs.flush(async (copy) => {
    t.false(JSON.stringify(copy).includes('queue/'))
  })
  const cut = await temporaryFolder(t)
  await crashCopy(join(folder, 'jobs'), join(cut, 'jobs'))
  const after = await start(t, { sinks }, { folder: cut, spool: join(cut, 'spool') })
  t.is(after.jobs.status()[0]?.sinks[0]?.waiting, 1)
  await after.stop()
})

async function sizesIn(folder: string) {
  const names = (await readdir(folder)).sort()
  return Promise.all(names.map(async (name) => [name, (await stat(join(folder, name))).size]))
}
