// MQTT against a real broker: delivery, restarts, last will, TLS, and what Home Assistant reads.
import { readFile } from 'node:fs/promises'
import test, { type ExecutionContext } from 'ava'
import {
  announceSensor,
  type HomeAssistantSensor,
  objectId,
} from '../../../../agent/jobs/sinks/home-assistant.ts'
import { createMqttSink } from '../../../../agent/jobs/sinks/mqtt.ts'
import {
  type BrokerConnection,
  type BrokerOptions,
  connectBroker,
} from '../../../../agent/jobs/sinks/mqtt-connection.ts'
import type { BrokerOptions as TestOptions } from '../../../../bench/lib/mqtt-broker.ts'
import { version } from '../../../../platform/system/version.ts'
import { startTestBroker, type TestBroker } from '../../../support/broker.ts'
import { temporaryFolder } from '../../../support/folder.ts'
import { discoveryTopic, documentedSensor } from '../../../support/home-assistant.ts'
import { entry, openStorage, openTestQueue } from '../../../support/outbox.ts'
import { until } from '../../../support/until.ts'

const certificate = (name: string) =>
  readFile(new URL(`../../../support/certificates/${name}.pem`, import.meta.url), 'utf8')
const key = (name: string) =>
  readFile(new URL(`../../../support/certificates/${name}.key`, import.meta.url), 'utf8')

const device = {
  id: 'uraiden-70997970',
  name: 'Pi in the hall',
  prefix: 'homeassistant',
  statusTopic: 'uraiden/status',
}
const sensor: HomeAssistantSensor = {
  name: 'Temperature',
  deviceClass: 'temperature',
  unit: '°C',
  stateClass: 'measurement',
}

function connect(t: ExecutionContext, broker: TestBroker, options: Partial<BrokerOptions> = {}) {
  const connection = connectBroker({
    url: broker.url,
    clientId: 'uraiden-70997970',
    statusTopic: device.statusTopic,
    birthTopic: 'homeassistant/status',
    reconnectInterval: 20,
    ...options,
  })
  t.teardown(() => connection.stop())
  return connection
}

async function start(
  t: ExecutionContext,
  options: { readonly broker?: TestOptions; readonly connection?: Partial<BrokerOptions> } = {},
) {
  const broker = await startTestBroker(t, options.broker)
  const connection = connect(t, broker, options.connection)
  const published = (topic: string) => broker.messages.filter((each) => each.topic === topic)
  const send = (payload: string) =>
    connection.publish([Buffer.from(payload)], { topic: 'home/t', qos: 1, retain: true })
  const sendWhenConnected = () => until(() => send('21.4').then(Boolean, () => false))
  return { broker, connection, published, send, sendWhenConnected }
}

for (const qos of [0, 1, 2] as const) {
  test(`messages arrive in their order with QoS ${qos}`, async (t) => {
    const { connection, published, sendWhenConnected } = await start(t)
    await sendWhenConnected()
    const payloads = Array.from({ length: 100 }, (_, number) => Buffer.from(`${number}`))
    t.is(await connection.publish(payloads, { topic: 'home/n', qos, retain: false }), 100)
    await until(() => published('home/n').length === 100)
    t.deepEqual(
      published('home/n').map(({ payload }) => payload),
      payloads.map(String),
    )
    t.true(published('home/n').every((each) => each.qos === qos && !each.retain))
  })
}

test('a retained message is there for who comes later', async (t) => {
  const { broker, sendWhenConnected } = await start(t)
  await sendWhenConnected()
  await until(async () => (await broker.retained()).get('home/t') === '21.4')
  t.pass()
})

test('while the broker is away everything waits on the disk, and comes in its order when it is back', async (t) => {
  const { broker, connection, published, sendWhenConnected } = await start(t)
  await sendWhenConnected()
  const storage = await openStorage(t, await temporaryFolder(t))
  const sink = createMqttSink({ broker: connection, topic: 'home/n', qos: 1, retain: false })
  const { add, queue, events } = await openTestQueue(t, { storage, sink })
  await add(entry(1), entry(2))
  await until(() => published('home/n').length === 2)
  await broker.stop()
  await add(...Array.from({ length: 50 }, (_, index) => entry(index + 3)))
  await until(() => queue.status().problem !== undefined)
  t.is(queue.status().waiting, 50)
  await broker.start()
  await until(() => queue.status().waiting === 0)
  t.deepEqual(
    published('home/n').map(({ payload }) => JSON.parse(payload).number),
    Array.from({ length: 52 }, (_, index) => index + 1),
  )
  t.deepEqual(
    events.map(({ kind }) => kind),
    ['sinkFailing', 'sinkRecovered'],
  )
})

test('a broker that takes a message and dies before it says so gets it again: at least once', async (t) => {
  let deaf = true
  const { broker, connection, published, sendWhenConnected } = await start(t, {
    broker: {
      authorizePublish: (_, { topic }, callback) => {
        // Neither an answer nor an error: the connection breaks first.
        if (topic !== 'home/n' || !deaf) callback(null)
        else setImmediate(() => broker.cutOff())
      },
    },
  })
  await sendWhenConnected()
  const options = { topic: 'home/n', qos: 1, retain: false } as const
  await t.throwsAsync(connection.publish([Buffer.from('1')], options), {
    code: 'broker_unreachable',
  })
  deaf = false
  await until(() => connection.publish([Buffer.from('1')], options).then(Boolean, () => false))
  await connection.publish([Buffer.from('2')], options)
  // The library has forgotten the first one: only what we send again arrives.
  await until(() => published('home/n').some(({ payload }) => payload === '2'))
  t.deepEqual(
    published('home/n').map(({ payload }) => payload),
    ['1', '2'],
  )
})

/** Hangs up when it gets something on this topic, as Aedes, Mosca and others do. */
const forbidding = (isForbidden: (topic: string, payload: string) => boolean): TestOptions => ({
  authorizePublish: (_, { topic, payload }, callback) => {
    callback(isForbidden(topic, `${payload}`) ? new Error('not allowed') : null)
  },
})

/** To home/a and home/b, over one connection. */
async function twoQueues(t: ExecutionContext, broker: BrokerConnection) {
  const storage = await openStorage(t, await temporaryFolder(t))
  const queueFor = (topic: string) => {
    const sink = createMqttSink({ broker, topic, qos: 1, retain: false })
    return openTestQueue(t, { storage, sink, id: topic, name: topic })
  }
  return [await queueFor('home/a'), await queueFor('home/b')] as const
}

test('a message on which the broker hangs up is refused, and keeps no other waiting', async (t) => {
  const forbidden = (topic: string, payload: string) =>
    topic === 'home/a' && payload.includes(':3}')
  const { connection, published, sendWhenConnected } = await start(t, {
    broker: forbidding(forbidden),
  })
  await sendWhenConnected()
  const [a, b] = await twoQueues(t, connection)
  const numbers = Array.from({ length: 40 }, (_, index) => index + 1)
  await Promise.all([a, b].map(({ add }) => add(...numbers.map((number) => entry(number)))))
  await until(() => a.queue.status().waiting + b.queue.status().waiting === 0)
  const arrived = (topic: string) => [
    ...new Set(published(topic).map(({ payload }) => JSON.parse(payload).number)),
  ]
  t.deepEqual(
    arrived('home/a'),
    numbers.filter((number) => number !== 3),
  )
  t.deepEqual(arrived('home/b'), numbers)
  t.is(a.queue.status().refused, 1)
  t.is(b.queue.status().refused, 0)
  const refused = a.events.filter(({ kind }) => kind === 'entryRefused')
  t.like(refused, [{ id: 'run-3' }])
  t.regex(JSON.stringify(refused), /hung up 3 times on this message of 12 bytes to home\/a/)
})

test('a topic that is forbidden silences itself only', async (t) => {
  const { connection, published, sendWhenConnected } = await start(t, {
    broker: forbidding((topic) => topic === 'home/a'),
  })
  await sendWhenConnected()
  const [a, b] = await twoQueues(t, connection)
  for (const number of [1, 2, 3]) {
    await Promise.all([a, b].map(({ add }) => add(entry(number))))
    await until(() => published('home/b').length >= number)
  }
  await until(() => a.queue.status().refused === 3)
  t.deepEqual([b.queue.status().refused, published('home/a').length], [0, 0])
})

test('an announcement on which the broker hangs up keeps no message waiting', async (t) => {
  const { connection, published } = await start(t, {
    broker: forbidding((topic) => topic.startsWith('homeassistant/')),
  })
  const options = { topic: 'home/n', qos: 1, retain: false } as const
  createMqttSink({ broker: connection, homeAssistant: { sensor, device }, ...options })
  await until(() => connection.publish([Buffer.from('1')], options).then(Boolean, () => false))
  await until(() => published('home/n').length > 0)
  t.pass()
})

test('a network that breaks refuses nothing', async (t) => {
  const { broker, connection, published, sendWhenConnected } = await start(t, {
    broker: {
      authorizePublish: (_, { topic }, callback) => {
        // While it is down it takes nothing at all, our greeting neither.
        if (breaks > 0 && (topic === 'home/n' || topic === device.statusTopic)) {
          breaks--
          broker.cutOff()
        } else callback(null)
      },
    },
  })
  let breaks = 0
  await sendWhenConnected()
  const storage = await openStorage(t, await temporaryFolder(t))
  const sink = createMqttSink({ broker: connection, topic: 'home/n', qos: 1, retain: false })
  const { add, queue } = await openTestQueue(t, { storage, sink })
  breaks = 12
  await add(entry(1))
  await until(() => queue.status().waiting === 0)
  t.is(queue.status().refused, 0)
  t.true(published('home/n').length >= 1)
})

test('a broker that is not there is named, without the password in its URL', async (t) => {
  const { broker } = await start(t)
  await broker.stop()
  const connection = connect(t, broker, { url: broker.url.replace('//', '//user:geheim@') })
  const error = await t.throwsAsync(
    connection.publish([Buffer.from('1')], { topic: 'a', qos: 1, retain: false }),
    { code: 'broker_unreachable', message: new RegExp(`broker ${broker.url}`) },
  )
  t.notRegex(`${error?.message}`, /geheim/)
  await broker.start()
})

test('online while connected, offline by our word at the end, offline by the last will when we are cut off', async (t) => {
  const { broker, connection, sendWhenConnected } = await start(t, {
    connection: { reconnectInterval: 3_600_000 },
  })
  await sendWhenConnected()
  await until(async () => (await broker.retained()).get('uraiden/status') === 'online')
  broker.cutOff()
  await until(async () => (await broker.retained()).get('uraiden/status') === 'offline')
  await connection.stop()
  const second = connect(t, broker)
  await until(async () => (await broker.retained()).get('uraiden/status') === 'online')
  await second.stop()
  await until(async () => (await broker.retained()).get('uraiden/status') === 'offline')
  t.pass()
})

test('user and password are asked for and given', async (t) => {
  const authenticate: NonNullable<TestOptions['authenticate']> = (_, user, password, done) =>
    done(null, user === 'pi' && `${password}` === 'raspberry')
  const { broker, sendWhenConnected } = await start(t, {
    broker: { authenticate },
    connection: { username: 'pi', password: 'raspberry' },
  })
  await sendWhenConnected()
  const wrong = connect(t, broker, { clientId: 'other', username: 'pi', password: 'banana' })
  const options = { topic: 'home/n', qos: 1, retain: false } as const
  const refusal = async () => {
    try {
      await wrong.publish([Buffer.from('1')], options)
      return ''
    } catch (error) {
      return (error as Error).message
    }
  }
  await until(async () => /not authorized/i.test(await refusal()))
  t.pass()
})

test('TLS: a broker with a certificate of our authority is believed, another one is not', async (t) => {
  const tls = { cert: await certificate('ip'), key: await key('ip') }
  const { broker, published } = await start(t, {
    broker: { tls },
    connection: { tls: { ca: await certificate('other-ip') } },
  })
  const options = { topic: 'home/n', qos: 1, retain: false } as const
  const trusting = connect(t, broker, { clientId: 'trusting', tls: { ca: tls.cert } })
  await until(() => trusting.publish([Buffer.from('1')], options).then(Boolean, () => false))
  await until(() => published('home/n').length === 1)
  const distrusting = connect(t, broker, {
    clientId: 'careful',
    tls: { ca: await certificate('other-ip') },
  })
  const problem = () =>
    distrusting.publish([Buffer.from('2')], options).then(
      () => 'sent',
      (error: Error) => error.message,
    )
  await until(async () => /certificate/i.test(await problem()))
  t.is(published('home/n').length, 1)
})

test('Home Assistant is told of the sensor, in documented words, and again after its own restart and the broker’s', async (t) => {
  const { broker, connection, published, sendWhenConnected } = await start(t)
  createMqttSink({
    broker: connection,
    topic: 'home/temperature',
    qos: 1,
    retain: true,
    homeAssistant: { sensor, device },
  })
  await sendWhenConnected()
  const topic = 'homeassistant/sensor/uraiden-70997970/home__temperature/config'
  await until(() => published(topic).length === 1)
  await until(async () => (await broker.retained()).has(topic))
  const told = JSON.parse((await broker.retained()).get(topic) ?? '')
  t.deepEqual(documentedSensor.parse(told), {
    name: 'Temperature',
    unique_id: 'uraiden-70997970_home__temperature',
    state_topic: 'home/temperature',
    qos: 1,
    availability_topic: 'uraiden/status',
    payload_available: 'online',
    payload_not_available: 'offline',
    device_class: 'temperature',
    unit_of_measurement: '°C',
    state_class: 'measurement',
    device: {
      identifiers: ['uraiden-70997970'],
      name: 'Pi in the hall',
      manufacturer: 'µRaiden',
      model: 'agent',
      sw_version: version,
    },
    origin: { name: 'uraiden-agent', sw_version: version },
  })
  await until(async () => {
    await broker.publish('homeassistant/status', 'online')
    return published(topic).length > 1
  })
  await broker.stop()
  await broker.start()
  await until(async () => (await broker.retained()).has(topic))
  t.pass()
})

const announced: readonly { readonly sensor: HomeAssistantSensor; readonly topic: string }[] = [
  { sensor: { name: 'Bare' }, topic: 'a' },
  { sensor: { ...sensor, expireAfter: 600, icon: 'mdi:fire' }, topic: 'home/living-room/t' },
  { sensor: { name: 'Größe', valueTemplate: '{{ value_json.celsius }}' }, topic: 'größe/ä b' },
]

for (const { sensor: each, topic } of announced) {
  test(`the announcement of ${each.name} holds what Home Assistant documents`, (t) => {
    const announcement = announceSensor(each, device, { topic, qos: 0 })
    t.regex(announcement.topic, discoveryTopic)
    t.true(documentedSensor.safeParse(JSON.parse(announcement.payload)).success)
  })
}

test('two topics never share an id', (t) => {
  const topics = [
    'a/b',
    'a_b',
    'a__b',
    'a-b',
    'a b',
    'a//b',
    'a_5f_b',
    'a/5f/b',
    'ab',
    'A/b',
    '🌡',
    'ä',
  ]
  t.is(new Set(topics.map(objectId)).size, topics.length)
})
