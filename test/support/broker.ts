// A real MQTT broker in the process, which can be stopped and started on the same port.
import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type TlsOptions } from 'node:tls'
import { Aedes, type AedesOptions } from 'aedes'
import type { ExecutionContext } from 'ava'
import { connectAsync } from 'mqtt'

export interface Message {
  readonly topic: string
  readonly payload: string
  readonly qos: number
  readonly retain: boolean
}

export interface TestBroker {
  readonly url: string
  /** What clients have published, in its order, over all restarts. Last wills are not among it. */
  readonly messages: readonly Message[]
  /** What the broker has retained, as a client that subscribes now gets it. */
  readonly retained: () => Promise<ReadonlyMap<string, string>>
  readonly publish: (topic: string, payload: string) => Promise<void>
  readonly stop: () => Promise<void>
  /** What was retained is lost, as by a broker that keeps nothing on its disk. */
  readonly start: () => Promise<void>
  /** Takes the connection of every client away, as a network that breaks does. */
  readonly cutOff: () => void
}

export interface BrokerOptions extends AedesOptions {
  readonly tls?: TlsOptions
}

export async function startBroker(
  t: ExecutionContext,
  { tls, ...options }: BrokerOptions = {},
): Promise<TestBroker> {
  const messages: Message[] = []
  const sockets = new Set<Socket>()
  let broker: Aedes
  let server: Server
  let port = 0

  async function start(): Promise<void> {
    broker = await Aedes.createBroker(options)
    broker.on('publish', ({ topic, payload, qos, retain }, client) => {
      if (client !== null) messages.push({ topic, payload: `${payload}`, qos, retain })
    })
    server = tls === undefined ? createServer(broker.handle) : createTlsServer(tls, broker.handle)
    server.on('connection', (socket) => {
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket))
    })
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
    const address = server.address()
    if (address !== null && typeof address === 'object') port = address.port
  }

  async function stop(): Promise<void> {
    await new Promise<void>((resolve) => broker.close(resolve))
    await new Promise<void>((resolve) => server.close(() => resolve()))
  }

  await start()
  t.teardown(stop)
  const url = `${tls === undefined ? 'mqtt' : 'mqtts'}://127.0.0.1:${port}`
  return {
    url,
    messages,
    retained: () => readRetained(url),
    publish: (topic, payload) => publishOnce(url, topic, payload),
    stop,
    start,
    cutOff: () => {
      for (const socket of sockets) socket.destroy()
    },
  }
}

async function readRetained(url: string): Promise<ReadonlyMap<string, string>> {
  const client = await connectAsync(url)
  const found = new Map<string, string>()
  const all = new Promise<void>((resolve) => {
    client.on('message', (topic, payload, { retain }) => {
      if (topic === 'test/end') resolve()
      else if (retain) found.set(topic, `${payload}`)
    })
  })
  await client.subscribeAsync('#')
  await client.publishAsync('test/end', '')
  await all
  await client.endAsync()
  return found
}

async function publishOnce(url: string, topic: string, payload: string): Promise<void> {
  const client = await connectAsync(url)
  await client.publishAsync(topic, payload, { qos: 1 })
  await client.endAsync()
}
