// The sink that is an MQTT topic, and what the configuration makes of its broker.
import type { Address } from '../../../protocol/index.ts'
import {
  announceSensor,
  type HomeAssistantDevice,
  type HomeAssistantSensor,
  objectId,
} from './home-assistant.ts'
import type { BrokerConnection, BrokerOptions, PublishOptions } from './mqtt-connection.ts'
import type { BrokerConfig } from './schema.ts'
import type { Sink } from './types.ts'

/** The agent as a client of an MQTT broker and as a device of Home Assistant. */
export interface BrokerSettings {
  readonly connection: BrokerOptions
  readonly device: HomeAssistantDevice
  /** The agent itself as a device of Home Assistant; undefined where it should not be one. */
  readonly agent?: AgentDeviceSettings
}

/** On a connection of its own: a broker that hangs up on it holds up no sink. */
export interface AgentDeviceSettings {
  readonly connection: BrokerOptions
  /** Before the topics of state and commands. */
  readonly base: string
  /** Whether Home Assistant may pause, resume and run. */
  readonly buttons: boolean
}

/** The same, connected. */
export interface Broker {
  readonly connection: BrokerConnection
  readonly device: HomeAssistantDevice
}

/** `secrets` is what the files hold that the configuration names. */
export function brokerSettings(
  config: BrokerConfig,
  secrets: Pick<BrokerOptions, 'password' | 'tls'>,
  address: Address,
): BrokerSettings {
  const { url, username, name, discoveryPrefix, homeAssistant } = config
  const clientId = config.clientId ?? `uraiden-${address.slice(2, 10).toLowerCase()}`
  const statusTopic = config.statusTopic ?? `uraiden/${clientId}/status`
  const connection: BrokerOptions = {
    url,
    clientId,
    ...(username !== undefined && { username }),
    ...secrets,
    statusTopic,
    birthTopic: `${discoveryPrefix}/status`,
    reconnectInterval: 5000,
  }
  const link = homeAssistant?.url
  const device = {
    ...{ id: objectId(clientId), name, prefix: discoveryPrefix, statusTopic },
    ...(link !== undefined && { url: link }),
  }
  if (homeAssistant === undefined) return { connection, device }
  const base = `uraiden/${clientId}/agent`
  const own = { clientId: `${clientId}-agent`, statusTopic: `${base}/status` }
  const agent = { connection: { ...connection, ...own }, base, buttons: homeAssistant.buttons }
  return { connection, device, agent }
}

export interface MqttSinkOptions extends PublishOptions {
  readonly broker: BrokerConnection
  readonly homeAssistant?: {
    readonly sensor: HomeAssistantSensor
    readonly device: HomeAssistantDevice
  }
}

/** The connection is shared: who made it stops it. */
export function createMqttSink({ broker, homeAssistant, ...options }: MqttSinkOptions): Sink {
  if (homeAssistant !== undefined) {
    const { sensor, device } = homeAssistant
    broker.announce(announceSensor(sensor, device, options))
  }
  return {
    deliver: (entries) =>
      broker.publish(
        entries.map(({ payload }) => payload),
        options,
      ),
    stop: async () => undefined,
  }
}
