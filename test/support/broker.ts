// A real MQTT broker for a test, and what it was told.
import type { ExecutionContext } from 'ava'
import { connectAsync } from 'mqtt'
import {
  type Broker,
  type BrokerOptions,
  type Message,
  startBroker,
} from '../../bench/lib/mqtt-broker.ts'

export interface TestBroker extends Broker {
  /** What clients have published, in its order, over all restarts. */
  readonly messages: readonly Message[]
  readonly publish: (topic: string, payload: string) => Promise<void>
}

export async function startTestBroker(
  t: ExecutionContext,
  options: BrokerOptions = {},
): Promise<TestBroker> {
  const messages: Message[] = []
  const broker = await startBroker(options, (message) => messages.push(message))
  t.teardown(() => broker.stop())
  return {
    ...broker,
    messages,
    publish: (topic, payload) => publishOnce(broker.url, topic, payload),
  }
}

async function publishOnce(url: string, topic: string, payload: string): Promise<void> {
  const client = await connectAsync(url)
  await client.publishAsync(topic, payload, { qos: 1 })
  await client.endAsync()
}
