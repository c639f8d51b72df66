// The agent as a device of Home Assistant, at a real broker.
import test, { type ExecutionContext } from 'ava'
import { connectAsync } from 'mqtt'
import type { BudgetLimit } from '../../../../agent/budget/caps.ts'
import { brokerSettings } from '../../../../agent/jobs/sinks/mqtt.ts'
import { brokerSchema } from '../../../../agent/jobs/sinks/schema.ts'
import type { JobStatus } from '../../../../agent/jobs/types.ts'
import { startDevice } from '../../../../agent/program/home-assistant/device.ts'
import {
  type DeviceCommand,
  type DeviceFacts,
  deviceView,
} from '../../../../agent/program/home-assistant/entities.ts'
import { parseAddress } from '../../../../protocol/index.ts'
import { startTestBroker } from '../../../support/broker.ts'
import { discoveryTopic, documentedEntities } from '../../../support/home-assistant.ts'
import { manualClock } from '../../../support/manual-clock.ts'
import { until } from '../../../support/until.ts'

const whole = 10n ** 18n
const address = parseAddress('0x70997970C51812dc3A010C7d01b50e0d17dc79C8')
const base = 'uraiden/uraiden-70997970/agent'
const config = (component: string, id: string) =>
  `homeassistant/${component}/uraiden-70997970_agent/${id}/config`

const job = (name: string, failures = 0) =>
  ({ name, failures, state: 'waiting', sinks: [] }) as unknown as JobStatus

const limit = (scope: BudgetLimit['scope'], window: BudgetLimit['window']): BudgetLimit => {
  return { scope, window, cap: whole, used: whole / 4n }
}

function factsWith(
  jobs: readonly JobStatus[],
  more: Partial<DeviceFacts['status']> = {},
): DeviceFacts {
  return {
    status: {
      token: { symbol: 'TKN', decimals: 18 },
      budget: {
        reserved: 0n,
        total: undefined,
        limits: [
          ...[limit('all', 'day'), limit('job/größe & "mehr"', 'hour')],
          limit(`receiver/${address}`, 'total'),
        ],
        transactions: [limit('ether', 'day'), limit('openings', 'day')],
      },
      waiting: undefined,
      paused: false,
      ...more,
      jobs,
    },
    account: { tokens: `${5n * whole}`, ether: null },
    spentToday: whole / 4n,
    nameOf: () => 'living-room',
  }
}

const settingsFor = (url: string, homeAssistant: unknown = true) =>
  brokerSettings(brokerSchema.parse({ url, homeAssistant }), { tls: {} }, address)

const topics = (homeAssistant: unknown = true) => {
  const { device, agent } = settingsFor('mqtt://127.0.0.1', homeAssistant)
  if (agent === undefined) throw new Error('it is off')
  return { device, base: agent.base, buttons: agent.buttons }
}

test('off unless the configuration says so', (t) => {
  const { agent: usual } = brokerSettings(
    brokerSchema.parse({ url: 'mqtt://h' }),
    { tls: {} },
    address,
  )
  t.is(usual, undefined)
  t.is(settingsFor('mqtt://127.0.0.1', false).agent, undefined)
  t.like(settingsFor('mqtt://127.0.0.1', {}).agent, { base, buttons: true })
  // Each client of a broker has an id of its own.
  const { agent, connection } = settingsFor('mqtt://127.0.0.1')
  t.not(agent?.connection.clientId, connection.clientId)
  t.not(agent?.connection.statusTopic, connection.statusTopic)
})

test('every announcement holds what Home Assistant documents, and every value is there', (t) => {
  const jobs = [job('temperature'), job('größe & "mehr"', 3)]
  const url = 'https://pi.example/'
  const view = deviceView(topics({ url }), factsWith(jobs))
  const values: Readonly<Record<string, unknown>> = JSON.parse(view?.state.payload ?? '')
  const read = new Set<string>()
  for (const [topic, payload] of view?.announcements ?? []) {
    const [, prefix, component, node] = discoveryTopic.exec(topic) ?? []
    t.deepEqual([prefix, node], ['homeassistant', 'uraiden-70997970_agent'], topic)
    const told = JSON.parse(payload)
    const checked = documentedEntities[component as 'sensor'].safeParse(told)
    t.true(checked.success, `${topic}: ${checked.error}`)
    t.like(told.device, { identifiers: ['uraiden-70997970'], configuration_url: url })
    t.is(told.availability_topic, `${base}/status`)
    if (component === 'button') {
      t.true(view?.commands.has(told.command_topic))
      continue
    }
    const [, id = ''] =
      /^\{\{ value_json\['([a-zA-Z0-9_-]+)'\] \}\}$/.exec(told.value_template) ?? []
    t.true(id in values, topic)
    if (component === 'binary_sensor') t.regex(`${values[id]}`, /^(ON|OFF)$/)
    read.add(id)
  }
  t.deepEqual([...read].sort(), Object.keys(values).sort())
  t.like(values, {
    'spent-today': '0.25',
    'left-all-day': '0.75',
    'left-ether-day': '0.75',
    tokens: '5',
    ether: null,
    'cannot-pay': 'OFF',
    'problem-temperature': 'OFF',
    paused: 'OFF',
  })
  const names = [...(view?.announcements.values() ?? [])].map((each) => JSON.parse(each).name)
  t.true(names.includes('Left in all at living-room'))
  t.true(names.includes('Left in an hour for größe & "mehr"'))
  t.is(new Set(names).size, names.length)
})

test('problems are told: of a job that fails, and where nothing can be paid', (t) => {
  const waiting = { code: 'chain_unavailable', message: 'No node answers.' }
  const view = deviceView(topics(), factsWith([job('a', 1), job('b')], { waiting, paused: true }))
  t.like(JSON.parse(view?.state.payload ?? ''), {
    'problem-a': 'ON',
    'problem-b': 'OFF',
    'cannot-pay': 'ON',
    paused: 'ON',
  })
})

test('without buttons there is nothing to press', (t) => {
  const view = deviceView(topics({ buttons: false }), factsWith([job('a')]))
  t.is(view?.commands.size, 0)
  t.false([...(view?.announcements.keys() ?? [])].some((topic) => topic.includes('/button/')))
})

async function given(t: ExecutionContext, { homeAssistant = true as unknown } = {}) {
  const broker = await startTestBroker(t)
  const state = { facts: factsWith([job('a'), job('b')]) as DeviceFacts | undefined }
  const commands: DeviceCommand[] = []
  const hold: { release: () => void; wait: Promise<void> | undefined } = {
    release: () => undefined,
    wait: undefined,
  }
  const clock = manualClock()
  const start = async () => {
    const { agent, device } = settingsFor(broker.url, homeAssistant)
    if (agent === undefined) throw new Error('it is off')
    const started = await startDevice({
      settings: { ...agent, connection: { ...agent.connection, reconnectInterval: 20 } },
      device,
      clock,
      facts: () => state.facts,
      onCommand: async (command) => {
        commands.push(command)
        await hold.wait
      },
    })
    t.teardown(() => started.stop())
    return started
  }
  const other = await connectAsync(broker.url)
  t.teardown(() => other.endAsync())
  const send = (topic: string, payload: string | Buffer, retain = false) =>
    other.publishAsync(topic, payload, { qos: 1, retain })
  const retained = (topic: string) =>
    until(
      async () => (await broker.retained()).get(topic),
      () => broker.messages,
    )
  const isGone = (topic: string) => until(async () => !(await broker.retained()).has(topic))
  /** It listens to commands, and has heard all that was sent before. */
  const heard = async () => {
    clock.pass(1000)
    const before = commands.length
    await until(async () => {
      clock.pass(1000)
      await send(`${base}/command/resume`, 'PRESS')
      return commands.slice(before).some(({ name }) => name === 'resume')
    })
    return commands.splice(0).filter(({ name }) => name !== 'resume')
  }
  return { broker, state, commands, hold, clock, start, send, retained, isGone, heard }
}

test('it is announced and online; offline when it stops, its announcements stay', async (t) => {
  const { start, retained, broker } = await given(t)
  const device = await start()
  t.is(await retained(`${base}/status`), 'online')
  t.like(JSON.parse(await retained(config('sensor', 'spent-today'))), {
    name: 'Spent today',
    state_topic: `${base}/state`,
  })
  t.like(JSON.parse(await retained(`${base}/state`)), { 'spent-today': '0.25' })
  await device.stop()
  t.is((await broker.retained()).get(`${base}/status`), 'offline')
  t.true((await broker.retained()).has(config('sensor', 'spent-today')))
})

test('what changes is told, and nothing else again', async (t) => {
  const { start, state, retained, clock, broker } = await given(t)
  await start()
  await retained(`${base}/state`)
  const before = broker.messages.length
  state.facts = { ...factsWith([job('a', 1), job('b')]) }
  clock.pass(30_000)
  await until(async () => /"problem-a":"ON"/.test(await retained(`${base}/state`)))
  t.deepEqual(
    broker.messages.slice(before).map(({ topic }) => topic),
    [`${base}/state`],
  )
})

test('a job that goes takes its entities along, also when it went while the agent was off', async (t) => {
  const { start, state, retained, isGone, clock, send, broker } = await given(t)
  const foreign = 'homeassistant/sensor/another_agent/run-b/config'
  const sold = 'homeassistant/sensor/uraiden-70997970/home__t/config'
  await send(foreign, '{}', true)
  await send(sold, '{}', true)
  const first = await start()
  await retained(config('button', 'run-b'))
  state.facts = factsWith([job('a')])
  clock.pass(30_000)
  await isGone(config('button', 'run-b'))
  await isGone(config('binary_sensor', 'problem-b'))
  await first.stop()
  state.facts = factsWith([])
  await start()
  await isGone(config('button', 'run-a'))
  t.true((await broker.retained()).has(foreign))
  t.true((await broker.retained()).has(sold))
  t.true((await broker.retained()).has(config('button', 'pause')))
})

test('while there is no agent nothing is taken away', async (t) => {
  const { start, state, retained, clock, broker } = await given(t)
  await start()
  await retained(config('button', 'run-b'))
  state.facts = undefined
  clock.pass(30_000)
  state.facts = { ...factsWith([], { token: undefined }) }
  clock.pass(30_000)
  t.false(broker.messages.some(({ payload }) => payload === ''))
})

test('Home Assistant or the broker starts anew: all is announced again', async (t) => {
  const { start, retained, broker, send, heard } = await given(t)
  await start()
  await retained(config('button', 'pause'))
  await heard()
  const announced = () =>
    broker.messages.filter(({ topic }) => topic === config('button', 'pause')).length
  const before = announced()
  await send('homeassistant/status', 'online')
  await until(() => announced() > before)
  await broker.stop()
  await broker.start()
  await retained(config('button', 'pause'))
  t.is(await retained(`${base}/status`), 'online')
})

test('buttons do what they say', async (t) => {
  const { start, send, heard } = await given(t)
  await start()
  await heard()
  await send(`${base}/command/pause`, 'PRESS')
  await send(`${base}/command/run-b`, 'PRESS')
  t.deepEqual(await heard(), [{ name: 'pause' }, { name: 'runJob', job: 'b' }])
})

const hostile: readonly (readonly [what: string, topic: string, payload: string | Buffer])[] = [
  ['another payload', 'pause', 'ON'],
  ['no payload', 'pause', ''],
  ['a payload in small letters', 'pause', 'press'],
  ['more than the payload', 'pause', 'PRESS\n'],
  ['a large payload', 'pause', Buffer.alloc(1_000_000, 'PRESS')],
  ['bytes that are no text', 'pause', Buffer.from([0xff, 0xfe])],
  ['a topic below', 'pause/now', 'PRESS'],
  ['a job that there is not', 'run-c', 'PRESS'],
  ['a job by another writing', 'run-%62', 'PRESS'],
  ['a command of the socket', 'sweep', 'PRESS'],
  ['a name of every object', '__proto__', 'PRESS'],
  ['the topic itself', '', 'PRESS'],
]

for (const [what, topic, payload] of hostile) {
  test(`${what} presses nothing`, async (t) => {
    const { start, send, heard } = await given(t)
    await start()
    await heard()
    await send(`${base}/command/${topic}`, payload)
    t.deepEqual(await heard(), [])
  })
}

test('a press that was left at the broker is not done, at no connection', async (t) => {
  const { start, send, heard, broker } = await given(t)
  await send(`${base}/command/pause`, 'PRESS', true)
  await send(`${base}/command/run-a`, 'PRESS', true)
  await start()
  t.deepEqual(await heard(), [])
  const greetings = () => broker.messages.filter(({ topic }) => topic === `${base}/status`).length
  const before = greetings()
  broker.cutOff()
  await until(() => greetings() > before)
  t.deepEqual(await heard(), [])
})

test('presses come one at a time, and no oftener than each second', async (t) => {
  const { start, send, heard, hold, commands, clock } = await given(t)
  await start()
  await heard()
  hold.wait = new Promise((resolve) => {
    hold.release = resolve
  })
  await send(`${base}/command/run-a`, 'PRESS')
  await until(() => commands.length === 1)
  clock.pass(60_000)
  for (let each = 0; each < 5; each++) await send(`${base}/command/run-a`, 'PRESS')
  await send(`${base}/command/pause`, 'PRESS')
  await until(() => commands.length === 2)
  hold.release()
  hold.wait = undefined
  t.deepEqual(await heard(), [{ name: 'runJob', job: 'a' }, { name: 'pause' }])
  await send(`${base}/command/run-a`, 'PRESS')
  await send(`${base}/command/run-a`, 'PRESS')
  await send(`${base}/command/pause`, 'PRESS')
  await until(() => commands.some(({ name }) => name === 'pause'))
  t.deepEqual(
    commands.filter(({ name }) => name !== 'resume'),
    [{ name: 'runJob', job: 'a' }, { name: 'pause' }],
  )
})
