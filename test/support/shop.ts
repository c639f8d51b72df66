// A receiver that sells resources of a configuration, and a channel to buy with.
import type { ExecutionContext } from 'ava'
import { createReceiverServer, type ReceiverOptions } from '../../receiver/index.ts'
import { resourceFrom, resourcesSchema } from '../../receiver/resources/configuration/schema.ts'
import { registerResources } from '../../receiver/resources/routes.ts'
import { givenChannel } from './channel.ts'
import { temporaryFolder } from './folder.ts'

/** As `resources` in receiver.yaml. */
export interface Resources {
  readonly [path: string]: object
}

/** Requests with a payment remember what they paid, so that prices are all a test has to say. */
export async function givenShop(
  t: ExecutionContext,
  resources: (folder: string) => Resources | Promise<Resources>,
  receiver: Partial<ReceiverOptions> = {},
) {
  const system = await givenChannel(t, { receiver })
  const folder = await temporaryFolder(t)
  const open = async (wanted: Resources) => {
    const parsed = resourcesSchema.parse(wanted)
    const server = await createReceiverServer(system.receiver, [])
    t.teardown(() => server.close())
    await registerResources(
      server,
      Object.fromEntries(
        Object.entries(parsed).map(([path, each]) => [path, resourceFrom(folder, each)]),
      ),
    )
    return { server, base: await server.listen({ host: '127.0.0.1', port: 0 }) }
  }
  const { base } = await open(await resources(folder))
  let balance = 0n
  /** Asks without paying. */
  const ask = (path: string, init?: RequestInit) => fetch(`${base}${path}`, init)
  /** Pays `price`; when the answer says that it cost less, the rest is used for the next one. */
  const buy = async (path: string, price: bigint, init: RequestInit = {}) => {
    const headers = { ...system.headers(balance + price), ...(init.headers as object) }
    const answer = await fetch(`${base}${path}`, { ...init, headers })
    const paid = answer.headers.get('rdn-sender-balance') === `${balance + price}`
    const cost = answer.headers.get('rdn-cost')
    if (answer.status !== 402 && paid) balance += cost === null ? price : BigInt(cost)
    return answer
  }
  return { ...system, base, folder, ask, buy, open, balance: () => balance }
}

/** A request as it goes over the wire: `fetch` would tidy its path up. */
export async function rawRequest(base: string, head: string): Promise<string> {
  const { connect } = await import('node:net')
  const { hostname, port } = new URL(base)
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname)
    let text = ''
    socket.setEncoding('utf8').on('data', (chunk) => {
      text += chunk
    })
    socket.once('error', reject)
    socket.once('close', () => resolve(text))
    socket.write(`${head}\r\nHost: ${hostname}\r\nConnection: close\r\n\r\n`)
  })
}
