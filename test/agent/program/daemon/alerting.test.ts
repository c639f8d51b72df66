// Alerts of a daemon: to a real webhook, from queues on a real disk.
import { createServer } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import test, { type ExecutionContext } from 'ava'
import { alertsSchema } from '../../../../agent/alerts/schema.ts'
import { jobsOf } from '../../../../agent/jobs/configured.ts'
import { openJobs } from '../../../../agent/jobs/open.ts'
import { jobSchema } from '../../../../agent/jobs/schema.ts'
import { Alerting, type AlertingOptions } from '../../../../agent/program/daemon/alerting.ts'
import { temporaryFolder } from '../../../support/folder.ts'
import { every, manualClock } from '../../../support/manual-clock.ts'
import { owner } from '../../../support/outbox.ts'
import { until } from '../../../support/until.ts'

const minute = 60_000

async function hook(t: ExecutionContext) {
  const bodies: string[] = []
  const state = { status: 200, hangs: false, asked: 0 }
  const server = createServer(async (request, response) => {
    const body = await text(request)
    state.asked++
    if (state.hangs) return
    if (state.status === 200) bodies.push(body)
    response.writeHead(state.status).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as { readonly port: number }
  return { url: `http://127.0.0.1:${port}/`, bodies, state }
}

async function given(t: ExecutionContext, sink: object = {}) {
  const { url, bodies, state } = await hook(t)
  const folder = await temporaryFolder(t)
  const clock = manualClock()
  const shop = { fails: true, runs: 0 }
  const alerts = alertsSchema.parse({
    sinks: [{ webhook: url, ...sink }],
    jobFailing: 2,
    disk: false,
  })
  const config = jobSchema.parse({
    ...{ get: 'http://receiver/a', every: '5m', retry: { times: 0 } },
    sinks: [{ file: join(folder, 'out.jsonl') }],
  })
  const open = async () => {
    const jobs = await openJobs({
      jobs: jobsOf({ reading: config }, { symbol: 'TKN', decimals: 0 }),
      alertSinks: alerts.sinks,
      buyer: {
        request: async () => {
          if (shop.fails) throw new Error('it is broken')
          const answer = { headers: {}, body: Buffer.from('1') }
          return { status: 200, answer, payment: undefined } as never
        },
        repeatPayment: async () => {
          throw new Error('nothing is open')
        },
      },
      resolve: (target) => new URL(target),
      folder: join(folder, 'jobs'),
      owner,
      onEvent: ({ kind }) => {
        if (kind === 'run') shop.runs++
      },
      clock,
      timetable: () => every(5 * minute, clock),
      syncInterval: 5,
    })
    await jobs.start()
    const failures: unknown[] = []
    const alerting = new Alerting({
      clock,
      agent: () => undefined,
      scheduler: () => jobs,
      onFailed: (error) => failures.push(error),
    } satisfies AlertingOptions)
    const wanted = { alerts, folder, chain: {}, facts: { symbol: 'TKN', decimals: 0 } }
    await alerting.start({
      ...wanted,
      receivers: { receivers: {} },
      signer: { address: owner.account },
    } as unknown as Parameters<Alerting['start']>[0])
    let stopped = false
    const stop = async () => {
      if (!stopped) await alerting.stop()
      if (!stopped) await jobs.stop(0)
      stopped = true
    }
    t.teardown(stop)
    return { jobs, alerting, failures, stop }
  }
  /** A run, and the look after it. */
  const next = async () => {
    const before = shop.runs
    clock.pass(5 * minute)
    await until(() => shop.runs > before)
    clock.pass(minute)
  }
  /** Looks until so many have come. */
  const told = (count: number) =>
    until(() => {
      if (bodies.length < count) clock.pass(minute)
      return bodies.length === count
    })
  return { open, next, told, shop, bodies, state }
}

test('a job that fails is told once, over a restart, and then that it is over', async (t) => {
  const { open, next, told, shop, bodies } = await given(t)
  const first = await open()
  await next()
  await next()
  await told(1)
  t.like(JSON.parse(bodies[0] ?? ''), {
    alert: 'job_failing',
    subject: 'reading',
    state: 'raised',
    agent: owner.account,
  })
  await next()
  await first.stop()
  const second = await open()
  await next()
  shop.fails = false
  await next()
  await told(2)
  t.deepEqual(
    bodies.map((body) => JSON.parse(body).state),
    ['raised', 'over'],
  )
  t.deepEqual(second.failures, [])
})

test('a template makes it a text, such as for ntfy', async (t) => {
  const { open, told, bodies } = await given(t, { template: '{{ $.state }}: {{ $.text }}' })
  await open()
  await told(1)
  t.regex(`${bodies[0]}`, /^raised: The job reading has failed \d+ times in a row: it is broken$/)
})

for (const [what, trouble] of [
  ['hangs', { hangs: true }],
  ['fails', { status: 503 }],
] as const) {
  test(`a webhook that ${what} holds up no job, and gets its alert later or with the next start`, async (t) => {
    const { open, next, bodies, state, shop } = await given(t)
    Object.assign(state, trouble)
    const first = await open()
    for (let run = 0; run < 4; run++) await next()
    await until(() => state.asked > 0)
    t.is(shop.runs, 4)
    await first.stop()
    Object.assign(state, { hangs: false, status: 200 })
    await open()
    await until(() => bodies.length === 1)
    await next()
    t.is(bodies.length, 1)
  })
}
