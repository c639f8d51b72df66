// The agent as a device of Home Assistant, over a connection of its own to the broker. What comes from there is
// anybody's who may publish: a press of a button is one exact payload on one exact topic, and nothing else counts.
import type { MqttClient } from 'mqtt'
import type { Milliseconds } from '../../../platform/time/clock.ts'
import type { Clock } from '../../jobs/clock.ts'
import { available } from '../../jobs/sinks/home-assistant.ts'
import type { AgentDeviceSettings } from '../../jobs/sinks/mqtt.ts'
import { forgetUnanswered, openClient, sayGoodbye } from '../../jobs/sinks/mqtt-connection.ts'
import {
  announcementTopics,
  commandWildcard,
  type DeviceCommand,
  type DeviceFacts,
  type DeviceTopics,
  type DeviceView,
  deviceView,
  pressed,
} from './entities.ts'

export interface DeviceOptions {
  readonly settings: AgentDeviceSettings
  readonly device: DeviceTopics['device']
  readonly clock: Clock
  /** Undefined while there is no agent. */
  readonly facts: () => DeviceFacts | undefined
  /** Whatever it rejects with was told by others. */
  readonly onCommand: (command: DeviceCommand) => Promise<unknown>
}

const interval: Milliseconds = 30_000
/** Between two presses of one button: each is written to the card. */
const leastBetween: Milliseconds = 1000
/** Of announcements that are not ours any more; others may have put them there. */
const mostRemovals = 1000

export async function startDevice(options: DeviceOptions): Promise<Device> {
  return new Device(options, await openClient(options.settings.connection))
}

export class Device {
  readonly #options: DeviceOptions
  readonly #client: MqttClient
  readonly #topics: DeviceTopics
  #view: DeviceView | undefined
  /** What the broker of this connection has been told. */
  readonly #told = new Map<string, string>()
  readonly #pressed = new Map<string, Milliseconds>()
  readonly #underWay = new Set<string>()
  #removals = 0
  #subscribed = false
  #cancel: () => void = () => undefined

  constructor(options: DeviceOptions, client: MqttClient) {
    const { settings, device } = options
    this.#options = options
    this.#client = client
    this.#topics = { device, base: settings.base, buttons: settings.buttons }
    client.on('connect', () => this.#connected())
    client.on('message', (topic, payload, { retain }) =>
      this.#heard(topic, payload, retain ? 'retained' : 'now'),
    )
    // It tries again by itself; while it is away there is nobody to tell.
    client.on('error', () => undefined)
    client.on('close', () => forgetUnanswered(client))
    this.#arm()
  }

  async stop(): Promise<void> {
    this.#cancel()
    await sayGoodbye(this.#client, this.#options.settings.connection)
  }

  #arm(): void {
    this.#cancel = this.#options.clock.after(interval, () => {
      this.#arm()
      this.#show()
    })
  }

  #connected(): void {
    this.#told.clear()
    this.#removals = 0
    this.#subscribed = false
    this.#publish(this.#options.settings.connection.statusTopic, available)
    this.#show()
  }

  /** Tells what is new. */
  #show(): void {
    const facts = this.#options.facts()
    const view = facts && deviceView(this.#topics, facts)
    if (view === undefined) return
    const before = this.#view
    this.#view = view
    if (!this.#client.connected) return
    for (const topic of before?.announcements.keys() ?? []) {
      if (!view.announcements.has(topic)) this.#remove(topic)
    }
    for (const [topic, payload] of view.announcements) this.#tell(topic, payload)
    this.#tell(view.state.topic, view.state.payload)
    if (!this.#subscribed) this.#subscribe()
  }

  /** Once it is known which announcements are wanted: what is retained comes at once. */
  #subscribe(): void {
    this.#subscribed = true
    const { birthTopic } = this.#options.settings.connection
    const topics = [birthTopic, announcementTopics(this.#topics).wildcard]
    if (this.#topics.buttons) topics.push(commandWildcard(this.#topics))
    this.#client.subscribeAsync(topics, { qos: 1 }).catch(() => undefined)
  }

  #heard(topic: string, payload: Buffer, when: 'retained' | 'now'): void {
    if (topic === this.#options.settings.connection.birthTopic) {
      if (payload.equals(Buffer.from(available))) this.#tellAgain()
      return
    }
    if (announcementTopics(this.#topics).isOne(topic)) {
      if (when === 'retained' && payload.length > 0) this.#removeUnlessWanted(topic)
      return
    }
    // One that was left there is old: whoever connects next would do it again.
    if (when === 'retained' || !payload.equals(Buffer.from(pressed))) return
    const command = this.#view?.commands.get(topic)
    if (command !== undefined) void this.#press(topic, command)
  }

  /** Home Assistant has started, and knows nothing but what is retained; a broker may retain nothing. */
  #tellAgain(): void {
    this.#told.clear()
    this.#show()
  }

  async #press(topic: string, command: DeviceCommand): Promise<void> {
    const { clock, onCommand } = this.#options
    const last = this.#pressed.get(topic) ?? Number.NEGATIVE_INFINITY
    if (this.#underWay.has(topic) || clock.passed() - last < leastBetween) return
    this.#underWay.add(topic)
    this.#pressed.set(topic, clock.passed())
    await onCommand(command).catch(() => undefined)
    this.#underWay.delete(topic)
    this.#show()
  }

  /** Of a job or a budget that is gone, in an earlier run perhaps. */
  #removeUnlessWanted(topic: string): void {
    if (this.#view?.announcements.has(topic) || this.#removals >= mostRemovals) return
    this.#removals++
    this.#remove(topic)
  }

  #remove(topic: string): void {
    this.#told.delete(topic)
    this.#publish(topic, '')
  }

  #tell(topic: string, payload: string): void {
    if (this.#told.get(topic) === payload) return
    this.#told.set(topic, payload)
    this.#publish(topic, payload)
  }

  /** What does not arrive is told again with the next connection. */
  #publish(topic: string, payload: string): void {
    this.#client.publishAsync(topic, payload, { qos: 1, retain: true }).catch(() => undefined)
  }
}
