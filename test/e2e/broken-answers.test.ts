// An upstream that breaks off in the middle of an answer that was paid: the receiver gives the payment back, and
// whoever reads the answer as it comes uses it for the next one.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import test, { type ExecutionContext } from 'ava'
import type { Agent, AgentOptions } from '../../agent/index.ts'
import { createReceiverServer } from '../../receiver/index.ts'
import { resourceFrom, resourcesSchema } from '../../receiver/resources/configuration/schema.ts'
import { registerResources } from '../../receiver/resources/routes.ts'
import { startTestProxy } from '../support/proxy.ts'
import { price, startSystem } from '../support/system.ts'
import { until } from '../support/until.ts'

/** More than a receiver collects, so that the head leaves before the end is known. */
const size = 300_000

async function givenUpstream(t: ExecutionContext) {
  const upstream = createServer(({ url }, response) => {
    response.writeHead(200, { 'content-length': size })
    response.write(Buffer.alloc(200_000), () => {
      if (url === '/broken') response.destroy()
      else response.end(Buffer.alloc(size - 200_000))
    })
  })
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve))
  t.teardown(() => upstream.close())
  return `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`
}

async function given(t: ExecutionContext, options: Partial<AgentOptions>) {
  const system = await startSystem(t, [])
  const server = await createReceiverServer(system.receiver, [])
  t.teardown(() => server.close())
  const shop = { '/*': { price: `${price} units`, upstream: await givenUpstream(t) } }
  await registerResources(
    server,
    Object.fromEntries(
      Object.entries(resourcesSchema.parse(shop)).map(([path, each]) => [
        path,
        resourceFrom(system.folder, each),
      ]),
    ),
  )
  const base = await server.listen({ host: '127.0.0.1', port: 0 })
  const agent = await system.agent({ budget: { total: 50n }, ...options })
  const claims = () => {
    const [channel] = agent.channels()
    if (channel === undefined) throw new Error('the agent has no channel')
    return system.receiver.book.ledger(agent.address, channel.openBlock).claims
  }
  return { base, agent, claims }
}

type Read = (url: string) => Promise<number>

/** Who reads answers as they come. */
const readers: Record<string, (t: ExecutionContext, agent: Agent, base: string) => Promise<Read>> =
  {
    'the library’s stream': async (_, agent) => async (url) =>
      (await buffer((await agent.stream(url)).body)).length,
    'the proxy': async (t, agent, base) => {
      const { proxy } = await startTestProxy(t, agent, base)
      return async (url) => {
        const { request } = await import('node:http')
        const port = proxy.port ?? 0
        return new Promise((resolve, reject) => {
          const sent = request({ host: '127.0.0.1', port, path: url }, (answer) => {
            buffer(answer).then(({ length }) => resolve(length), reject)
          })
          sent.once('error', reject).end()
        })
      }
    },
  }

for (const [name, makeReader] of Object.entries(readers)) {
  for (const bound of ['require', 'off'] as const) {
    test(`${name}, ${bound === 'off' ? 'unbound' : 'bound'}: what broke off costs nothing`, async (t) => {
      const { base, agent, claims } = await given(t, { bound })
      const read = await makeReader(t, agent, base)
      for (let times = 0; times < 3; times++) {
        await t.throwsAsync(read(`${base}/broken`))
        await until(() => claims().unclaimed.length === 1)
        t.deepEqual(claims(), { highest: price, unclaimed: [{ from: 0n, to: price }] })
        // Only a bound receiver's word counts; without one it is offered again.
        if (bound === 'off') t.true(agent.channels()[0]?.inDoubt)
        else {
          t.is(agent.channels()[0]?.balance, 0n)
          t.is(agent.history().at(-1)?.cost, 0n)
        }
      }
      t.is(await read(`${base}/whole`), size)
      t.deepEqual(claims(), { highest: price, unclaimed: [] })
      t.is(agent.channels()[0]?.balance, price)
      await t.throwsAsync(read(`${base}/broken`))
      t.is(await read(`${base}/whole`), size)
      t.deepEqual(claims(), { highest: 2n * price, unclaimed: [] })
    })
  }
}
