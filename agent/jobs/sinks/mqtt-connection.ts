// The connection to an MQTT broker, shared by all sinks that publish there. The library is loaded when
// there is one.

import type { MqttClient } from 'mqtt'
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
   * @throws UraidenError `broker_unreachable` when it has not even the first one
   */
  readonly publish: (payloads: readonly Uint8Array[], options: PublishOptions) => Promise<number>
  /** Published, retained, with every new connection. */
  readonly announce: (announcement: Announcement) => void
  readonly stop: () => Promise<void>
}

const answerTimeout = 20_000
const goodbyeTimeout = 2000
/** On their way at once. */
const window = 32

export function connectBroker(options: BrokerOptions): BrokerConnection {
  return new Connection(options)
}

class Connection implements BrokerConnection {
  readonly #options: BrokerOptions
  readonly #announcements: Announcement[] = []
  readonly #client: Promise<MqttClient>
  #problem = 'no connection yet'

  constructor(options: BrokerOptions) {
    this.#options = options
    this.#client = this.#connect()
    // Whoever publishes sees it.
    this.#client.catch(() => undefined)
  }

  async publish(payloads: readonly Uint8Array[], options: PublishOptions): Promise<number> {
    const client = await this.#client
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
      if (failed >= 0 && taken > 0) return taken
      if (failed >= 0) throw this.#unreachable()
    }
    return taken
  }

  announce(announcement: Announcement): void {
    this.#announcements.push(announcement)
    this.#client
      .then((client) => (client.connected ? publishAnnouncement(client, announcement) : undefined))
      .catch(() => undefined)
  }

  async stop(): Promise<void> {
    const client = await this.#client.catch(() => undefined)
    if (client === undefined) return
    const { statusTopic } = this.#options
    // A goodbye cancels the last will, so we say ourselves what it would say.
    if (client.connected) {
      const said = client.publishAsync(statusTopic, unavailable, { qos: 1, retain: true })
      await withTimeout(said, goodbyeTimeout).catch(() => undefined)
    }
    await withTimeout(client.endAsync(!client.connected), goodbyeTimeout).catch(() => undefined)
    await client.endAsync(true).catch(() => undefined)
  }

  async #connect(): Promise<MqttClient> {
    const { connect } = await import('mqtt')
    const { url, clientId, username, password, tls, statusTopic, reconnectInterval } = this.#options
    const client = connect(url, {
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
    client.on('connect', () => this.#connected(client))
    client.on('message', (topic, message) => {
      if (topic === this.#options.birthTopic && `${message}` === available)
        this.#announceAll(client)
    })
    client.on('error', (error) => {
      this.#problem =
        originsOnly(error.message) || String((error as { readonly code?: string }).code)
    })
    client.on('close', () => forgetUnanswered(client))
    return client
  }

  #connected(client: MqttClient): void {
    const { statusTopic, birthTopic } = this.#options
    // Each of these is said again with the next connection if this one breaks.
    client.publishAsync(statusTopic, available, { qos: 1, retain: true }).catch(() => undefined)
    if (this.#announcements.length > 0) {
      client.subscribeAsync(birthTopic, { qos: 0 }).catch(() => undefined)
    }
    this.#announceAll(client)
  }

  #announceAll(client: MqttClient): void {
    for (const each of this.#announcements) publishAnnouncement(client, each)
  }

  async #send(client: MqttClient, payload: Uint8Array, options: PublishOptions): Promise<void> {
    const { topic, qos, retain } = options
    const sent = client.publishAsync(topic, Buffer.from(payload), { qos, retain })
    const id = client.getLastMessageId()
    try {
      await withTimeout(sent, answerTimeout)
    } catch (error) {
      if (qos > 0) client.removeOutgoingMessage(id)
      this.#problem = (error as Error).message
      throw error
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

function publishAnnouncement(client: MqttClient, { topic, payload }: Announcement): void {
  client.publishAsync(topic, payload, { qos: 1, retain: true }).catch(() => undefined)
}

/** The library would send them again by itself, beside our queue that does. */
function forgetUnanswered(client: MqttClient): void {
  for (const id of Object.keys(client.outgoing)) client.removeOutgoingMessage(Number(id))
}

function withTimeout<Value>(work: Promise<Value>, most: number): Promise<Value> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer in ${most} ms`)), most)
  })
  return Promise.race([work, timeout]).finally(() => clearTimeout(timer))
}
