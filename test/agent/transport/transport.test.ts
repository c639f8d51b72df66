// One signal for many requests, as a daemon has it.
import { getEventListeners } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import { createTransport } from '../../../agent/transport/transport.ts'

async function serve(t: ExecutionContext): Promise<URL> {
  const server = createServer((request, response) => {
    if (request.url === '/cut') request.socket.destroy()
    else if (request.url === '/hang') response.flushHeaders()
    else response.end('hello')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
}

test('a request that is over leaves nothing on a signal that lives on', async (t) => {
  const base = await serve(t)
  const { signal } = new AbortController()
  const { send } = createTransport()
  const request = { method: 'GET', url: base, headers: {}, signal }
  for (let i = 0; i < 3; i++) await (await send(request)).body()
  const streamed = await send(request)
  for await (const _ of streamed.stream);
  const refused = await send(request)
  refused.stream.destroy()
  await t.throwsAsync(send({ ...request, url: new URL('/cut', base) }), { code: 'answer_lost' })
  await new Promise((resolve) => setImmediate(resolve))
  t.is(getEventListeners(signal, 'abort').length, 0)
})

test('the signal still ends a request, before it began and while its body comes', async (t) => {
  const base = await serve(t)
  const { send } = createTransport()
  const request = { method: 'GET', url: new URL('/hang', base), headers: {} }
  const early = AbortSignal.abort()
  await t.throwsAsync(send({ ...request, signal: early }), { code: 'aborted' })
  const controller = new AbortController()
  const answer = await send({ ...request, signal: controller.signal })
  controller.abort()
  await t.throwsAsync(answer.body(), { code: 'aborted' })
})
