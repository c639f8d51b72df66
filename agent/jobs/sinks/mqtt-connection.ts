// The connection to an MQTT broker, shared by all sinks that publish there. The library is loaded when
// there is one.
//
// MQTT 3.1.1 has no word for "not this message": a broker that finds one too large, or its topic forbidden, hangs
// up on everybody. So after a hang-up messages go one at a time, until it is known which one it was.

import type { MqttClient } from 'mqtt'
import { createTurns } from '../../../platform/async/turns.ts'
import { originsOnly, printedUrl } from '../../../platform/text/printed.ts'
import type { UraidenError } from '../../../protocol/index.ts'
import { defined } from '../../../protocol/index.ts'
import { agentError } from '../../errors/index.ts'
import { type Announcement, available, unavailable } from './home-assistant.ts'

export interface BrokerOptions {
  /** mqtt:// or mqtts:// */
  readonly url: string
  /** The same after every start; two clients with one id throw each other out. */
  readonly clientId: string
  readonly username?: string
  readonly password?: string
  /** PEM. The broker's certificate is always checked: against these, or the machine's. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string }
  /** Says `online` while we are connected, and by our last will `offline` when not. Retained. */
  readonly statusTopic: string
  /** Discovery is announced anew when Home Assistant says there that it has started. */
  readonly birthTopic: string
  /** Between two tries to connect, in milliseconds. */
  readonly reconnectInterval: number
}

export interface PublishOptions {
  readonly topic: string
  readonly qos: 0 | 1 | 2
  readonly retain: boolean
}

export interface BrokerConnection {
  /**
   * Resolves with how many payloads from the front the broker has taken.
   * @throws UraidenError `broker_unreachable` when it has not even the first one; `entry_refused` when it hangs up
   * whenever it gets the first one, and takes others
   */
  readonly publish: (payloads: readonly Uint8Array[], options: PublishOptions) => Promise<number>
  /** Published, retained, with every new connection. */
  readonly announce: (announcement: Announcement) => void
  readonly stop: () => Promise<void>
}

const answerTimeout = 20_000
/** Of each of two steps. A broker that hears no goodbye says our last will. */
const goodbyeTimeout = 500
/** On their way at once. */
const window = 32
/** A network breaks, too; hardly three times right after the same message, with another taken before each. */
const hangUpsToRefuse = 3

/** Of a topic with messages on their way when the broker hung up. */
interface Suspicion {
  readonly payload: Uint8Array
  /** On this message alone. */
  readonly hangUps: number
}

export function connectBroker(options: BrokerOptions): BrokerConnection {
  return new Connection(options)
}

class Connection implements BrokerConnection {
  readonly #options: BrokerOptions
  readonly #announcements: Announcement[] = []
  readonly #client: Promise<MqttClient>
  readonly #alone = createTurns()
  /** By topic, until the broker takes a message of it. */
  readonly #suspicions = new Map<string, Suspicion>()
  readonly #unwelcome = new Map<Announcement, number>()
  /** The broker takes what we have to say of ourselves on this connection. */
  #greeted: Promise<unknown> = Promise.resolve()
  /** Rejects when this connection ends: the library does not always say it of what is on its way. */
  #ended: Promise<never> = new Promise(() => undefined)
  #end: () => void = () => undefined
  #hangUps = 0
  #onTheirWay = 0
  #problem = 'no connection yet'

  constructor(options: BrokerOptions) {
    this.#options = options
    this.#client = this.#connect()
    // Whoever publishes sees it.
    this.#client.catch(() => undefined)
  }

  async publish(payloads: readonly Uint8Array[], options: PublishOptions): Promise<number> {
    const client = await this.#client
    if (this.#suspicions.size > 0) {
      const [first = Buffer.alloc(0)] = payloads
      return this.#alone.take(() => this.#publishAlone(client, first, options))
    }
    const before = this.#hangUps
    let taken = 0
    while (taken < payloads.length) {
      if (!client.connected) {
        if (taken > 0) return taken
        throw this.#unreachable()
      }
      const part = payloads.slice(taken, taken + window)
      const results = await Promise.allSettled(
        part.map((each) => this.#send(client, each, options)),
      )
      const failed = results.findIndex(({ status }) => status === 'rejected')
      taken += failed < 0 ? part.length : failed
      const payload = payloads[taken]
      if (failed >= 0 && payload !== undefined && this.#hangUps > before) {
        this.#suspicions.set(options.topic, { payload, hangUps: 0 })
      }
      if (failed >= 0 && taken > 0) return taken
      if (failed >= 0) throw this.#unreachable()
    }
    return taken
  }

  /** Resolves with 1 when the broker has taken it. */
  async #publishAlone(
    client: MqttClient,
    payload: Uint8Array,
    options: PublishOptions,
  ): Promise<number> {
    const { topic } = options
    await this.#greeted.catch(() => undefined)
    const before = this.#hangUps
    if (!client.connected) throw this.#unreachable()
    try {
      await this.#send(client, payload, options)
    } catch {
      if (this.#hangUps > before) this.#suspect(topic, payload)
      throw this.#unreachable()
    }
    this.#suspicions.delete(topic)
    return 1
  }

  /** @throws UraidenError `entry_refused` */
  #suspect(topic: string, payload: Uint8Array): void {
    const known = this.#suspicions.get(topic)
    const isSame = known !== undefined && Buffer.compare(known.payload, payload) === 0
    const hangUps = (isSame ? known.hangUps : 0) + 1
    const isRefused = hangUps >= hangUpsToRefuse
    this.#suspicions.set(topic, { payload, hangUps: isRefused ? 0 : hangUps })
    if (!isRefused) return
    throw agentError({
      code: 'entry_refused',
      message: `The MQTT broker ${printedUrl(this.#options.url)} hung up ${hangUps} times on this message of ${payload.length} bytes to ${topic}, and takes others.`,
      hint: 'Look at its largest packet, and at who may publish to the topic.',
    })
  }

  announce(announcement: Announcement): void {
    this.#announcements.push(announcement)
    this.#client
      .then((client) => (client.connected ? publishAnnouncement(client, announcement) : undefined))
      .catch(() => undefined)
  }

  async stop(): Promise<void> {
    const client = await this.#client.catch(() => undefined)
    if (client !== undefined) await sayGoodbye(client, this.#options)
  }

  async #connect(): Promise<MqttClient> {
    const client = await openClient(this.#options)
    client.on('connect', () => this.#connected(client))
    client.on('message', (topic, message) => {
      if (topic === this.#options.birthTopic && `${message}` === available)
        void this.#announceAll(client)
    })
    client.on('error', (error) => {
      this.#problem =
        originsOnly(error.message) || String((error as { readonly code?: string }).code)
    })
    client.on('close', () => {
      this.#hangUps++
      forgetUnanswered(client)
      this.#end()
    })
    return client
  }

  #connected(client: MqttClient): void {
    const { statusTopic, birthTopic } = this.#options
    this.#ended = new Promise((_, reject) => {
      this.#end = () => reject(new Error('it hung up'))
    })
    this.#ended.catch(() => undefined)
    // Each of these is said again with the next connection if this one breaks.
    const said = client.publishAsync(statusTopic, available, { qos: 1, retain: true })
    if (this.#announcements.length > 0) {
      client.subscribeAsync(birthTopic, { qos: 0 }).catch(() => undefined)
    }
    this.#greeted = Promise.race([said.then(() => this.#announceAll(client)), this.#ended])
    this.#greeted.catch(() => undefined)
  }

  /** One after the other: the broker may hang up on one of them, too. */
  async #announceAll(client: MqttClient): Promise<void> {
    for (const each of this.#announcements) {
      const hangUps = this.#unwelcome.get(each) ?? 0
      if (hangUps >= hangUpsToRefuse) continue
      const before = this.#hangUps
      try {
        await Promise.race([publishAnnouncement(client, each), this.#ended])
        this.#unwelcome.delete(each)
      } catch {
        const isAlone = this.#onTheirWay === 0
        if (this.#hangUps > before && isAlone) this.#unwelcome.set(each, hangUps + 1)
        return
      }
    }
  }

  async #send(client: MqttClient, payload: Uint8Array, options: PublishOptions): Promise<void> {
    const { topic, qos, retain } = options
    const before = this.#hangUps
    this.#onTheirWay++
    const sent = client.publishAsync(topic, Buffer.from(payload), { qos, retain })
    const id = client.getLastMessageId()
    try {
      await withTimeout(Promise.race([sent, this.#ended]), answerTimeout)
    } catch (error) {
      if (qos > 0) client.removeOutgoingMessage(id)
      this.#problem = this.#hangUps > before ? 'it hung up' : (error as Error).message
      throw error
    } finally {
      this.#onTheirWay--
    }
  }

  #unreachable(): UraidenError {
    const { url } = this.#options
    return agentError({
      code: 'broker_unreachable',
      message: `The MQTT broker ${printedUrl(url)} does not take messages (${this.#problem}).`,
    })
  }
}

/** Connects, and does so again whenever the connection is lost. The last will says `offline`. */
export async function openClient(options: BrokerOptions): Promise<MqttClient> {
  const { connect } = await import('mqtt')
  const { url, clientId, username, password, tls, statusTopic, reconnectInterval } = options
  return connect(url, {
    clientId,
    ...defined({ username, password }),
    ...tls,
    will: { topic: statusTopic, payload: Buffer.from(unavailable), qos: 1, retain: true },
    reconnectPeriod: reconnectInterval,
    // A broker that refuses us today may have been told better tomorrow.
    reconnectOnConnackError: true,
    connectTimeout: answerTimeout,
    keepalive: 30,
    // What waits, waits in our own queue on the disk.
    queueQoSZero: false,
    timerVariant: 'native',
  })
}

export async function sayGoodbye(
  client: MqttClient,
  { statusTopic }: Pick<BrokerOptions, 'statusTopic'>,
): Promise<void> {
  // A goodbye cancels the last will, so we say ourselves what it would say.
  if (client.connected) {
    const said = client.publishAsync(statusTopic, unavailable, { qos: 1, retain: true })
    await withTimeout(said, goodbyeTimeout).catch(() => undefined)
  }
  await withTimeout(client.endAsync(!client.connected), goodbyeTimeout).catch(() => undefined)
  await client.endAsync(true).catch(() => undefined)
}

async function publishAnnouncement(
  client: MqttClient,
  { topic, payload }: Announcement,
): Promise<void> {
  await client.publishAsync(topic, payload, { qos: 1, retain: true })
}

/** The library would send them again by itself, beside us who do. */
export function forgetUnanswered(client: MqttClient): void {
  for (const id of Object.keys(client.outgoing)) client.removeOutgoingMessage(Number(id))
}

function withTimeout<Value>(work: Promise<Value>, most: number): Promise<Value> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer in ${most} ms`)), most)
  })
  return Promise.race([work, timeout]).finally(() => clearTimeout(timer))
}
