// A real MQTT broker in the process, which can be stopped and started on the same port.
import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type TlsOptions } from 'node:tls'
import { Aedes, type AedesOptions } from 'aedes'
import { freePort } from '../../test/lab/processes/free-port.ts'

export interface Message {
  readonly topic: string
  readonly payload: string
  readonly qos: number
  readonly retain: boolean
}

export interface BrokerOptions extends AedesOptions {
  readonly tls?: TlsOptions
}

export interface Broker {
  readonly url: string
  /** The payloads that the broker has retained, by topic. */
  readonly retained: () => Promise<ReadonlyMap<string, string>>
  readonly stop: () => Promise<void>
  /** What was retained is lost, as by a broker that keeps nothing on its disk. */
  readonly start: () => Promise<void>
  /** Takes the connection of every client away, as a network that breaks does. */
  readonly cutOff: () => void
}

/** `onMessage` hears what clients publish; last wills are not among it. */
export async function startBroker(
  { tls, ...options }: BrokerOptions,
  onMessage: (message: Message) => void,
): Promise<Broker> {
  const sockets = new Set<Socket>()
  const { authorizePublish: authorize = (_client, _packet, done) => done(null) } = options
  let broker: Aedes
  let server: Server
  const port = await freePort()

  async function start(): Promise<void> {
    broker = await Aedes.createBroker({
      ...options,
      // Before the sender is told that its message has arrived; the event `publish` may come after.
      authorizePublish: (client, packet, callback) => {
        authorize(client, packet, (error) => {
          const { topic, payload, qos, retain } = packet
          if (!error && client !== null) onMessage({ topic, payload: `${payload}`, qos, retain })
          callback(error)
        })
      },
    })
    server = tls === undefined ? createServer(broker.handle) : createTlsServer(tls, broker.handle)
    server.on('connection', (socket) => {
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket))
    })
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  }

  await start()
  return {
    url: `${tls === undefined ? 'mqtt' : 'mqtts'}://127.0.0.1:${port}`,
    start,
    retained: async () => {
      const found = new Map<string, string>()
      for await (const { topic, payload } of persistenceOf(broker).createRetainedStream('#')) {
        found.set(topic, `${payload}`)
      }
      return found
    },
    stop: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      await new Promise<void>((resolve) => broker.close(resolve))
      // A client that came meanwhile is served by no broker any more.
      for (const socket of sockets) socket.destroy()
      await closed
    },
    cutOff: () => {
      for (const socket of sockets) socket.destroy()
    },
  }
}

interface Persistence {
  readonly createRetainedStream: (pattern: string) => AsyncIterable<{
    readonly topic: string
    readonly payload: Buffer
  }>
}

/** The types of the library leave it out. */
function persistenceOf(broker: Aedes): Persistence {
  return (broker as unknown as { readonly persistence: Persistence }).persistence
}
