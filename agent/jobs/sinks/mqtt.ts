// The sink that is an MQTT topic.
import {
  announceSensor,
  type HomeAssistantDevice,
  type HomeAssistantSensor,
} from './home-assistant.ts'
import type { BrokerConnection, PublishOptions } from './mqtt-connection.ts'
import type { Sink } from './types.ts'

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
    broker.announce(announceSensor(sensor, options.topic, options.qos, device))
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
