// A job on a whole system: bought from a real receiver, delivered to a real broker and a real file.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { jobsOf } from '../../agent/jobs/configured.ts'
import { type JobsOptions, openJobs } from '../../agent/jobs/open.ts'
import { jobSchema } from '../../agent/jobs/schema.ts'
import { brokerSettings } from '../../agent/jobs/sinks/mqtt.ts'
import { brokerSchema } from '../../agent/jobs/sinks/schema.ts'
import type { JobEvent } from '../../agent/jobs/types.ts'
import { startTestBroker } from '../support/broker.ts'
import { temporaryFolder } from '../support/folder.ts'
import { documentedSensor } from '../support/home-assistant.ts'
import { every, manualClock } from '../support/manual-clock.ts'
import { price, startSystem } from '../support/system.ts'
import { until } from '../support/until.ts'

async function start(
  t: ExecutionContext,
  options: Omit<Partial<JobsOptions>, 'broker'> & {
    readonly sinks: object[]
    readonly broker?: string
  },
) {
  const system = await startSystem(t)
  const buyer = await system.agent({ budget: { jobs: { temperature: { total: 3n * price } } } })
  const clock = manualClock()
  const events: JobEvent[] = []
  const { sinks, broker, ...rest } = options
  const temperature = jobSchema.parse({
    get: 'living-room/reading',
    every: '* * * * *',
    retry: { times: 0 },
    sinks,
  })
  const jobs = await openJobs({
    jobs: jobsOf({ temperature }, await buyer.token()),
    broker:
      broker === undefined
        ? undefined
        : brokerSettings(brokerSchema.parse({ url: broker }), {}, buyer.address),
    buyer,
    resolve: (target) => new URL(target.replace('living-room', system.base)),
    folder: join(system.folder, 'jobs'),
    owner: {
      chainId: system.chain.chainId,
      contract: system.contract,
      account: buyer.address,
    },
    onEvent: (event) => events.push(event),
    clock,
    timetable: () => every(60_000, clock),
    ...rest,
  })
  t.teardown(() => jobs.stop(0))
  await jobs.start()
  const runs = () => events.flatMap((event) => (event.kind === 'run' ? [event.outcome] : []))
  const nextRun = async () => {
    const before = runs().length
    clock.pass(60_000)
    await until(() => runs().length > before)
  }
  return { ...system, jobs, buyer, runs, nextRun }
}

test('a bought temperature shows up as a sensor by itself', async (t) => {
  const broker = await startTestBroker(t)
  const { nextRun, runs, buyer } = await start(t, {
    broker: broker.url,
    sinks: [
      {
        mqtt: {
          topic: 'home/temperature',
          homeAssistant: { unit: '°C', class: 'temperature', expireAfter: '15m' },
        },
        select: '$.celsius',
      },
    ],
  })
  await nextRun()
  t.like(runs()[0], { kind: 'done', payment: { price, cost: price } })
  await until(async () => (await broker.retained()).get('home/temperature') === '21.4')
  const retained = await broker.retained()
  const node = `uraiden-${buyer.address.slice(2, 10).toLowerCase()}`
  const config = retained.get(`homeassistant/sensor/${node}/home__temperature/config`)
  const sensor = documentedSensor.parse(JSON.parse(config ?? ''))
  t.like(sensor, {
    name: 'temperature',
    state_topic: 'home/temperature',
    device_class: 'temperature',
    unit_of_measurement: '°C',
    expire_after: 900,
  })
  t.is(retained.get(sensor.availability_topic ?? ''), 'online')
})

test('a job stays within its budget, and what it bought is in the file', async (t) => {
  const file = join(await temporaryFolder(t), 'temperature.jsonl')
  const { nextRun, runs, jobs } = await start(t, { sinks: [{ file }] })
  for (let run = 0; run < 4; run++) await nextRun()
  t.deepEqual(
    runs().map((outcome) => outcome.kind),
    ['done', 'done', 'done', 'failed'],
  )
  t.like(runs()[3], { payment: 'none', error: { code: 'budget_total_spent' } })
  await until(() => jobs.status()[0]?.sinks[0]?.waiting === 0)
  const lines = (await readFile(file, 'utf8')).split('\n').slice(0, -1)
  t.deepEqual(
    lines.map((line) => JSON.parse(line).data),
    Array(3).fill({ celsius: 21.4 }),
  )
})
