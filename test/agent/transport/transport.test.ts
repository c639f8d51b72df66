// One signal for many requests, as a daemon has it; and answers that are larger than a machine likes.
import { getEventListeners } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import test, { type ExecutionContext } from 'ava'
import { createTransport } from '../../../agent/transport/transport.ts'
import { until } from '../../support/until.ts'

const usual: RequestListener = (request, response) => {
  if (request.url === '/cut') request.socket.destroy()
  else if (request.url === '/hang') response.flushHeaders()
  else response.end('hello')
}

async function serve(t: ExecutionContext, listener = usual): Promise<URL> {
  const server = createServer(listener)
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

const megabyte = 1 << 20

test('a body is bounded after it is decoded, and what is more is not read', async (t) => {
  const bomb = gzipSync(Buffer.alloc(63 * megabyte))
  t.true(bomb.length < megabyte / 8)
  const base = await serve(t, (_, response) => {
    response.setHeader('content-encoding', 'gzip').end(bomb)
  })
  const { send } = createTransport()
  const request = { method: 'GET', url: base, headers: {} }
  for (const mostBody of [4 * megabyte, 63 * megabyte - 1]) {
    const answer = await send({ ...request, mostBody })
    await t.throwsAsync(answer.body(), { code: 'answer_too_large' })
    t.true(answer.stream.destroyed)
  }
  t.is((await (await send({ ...request, mostBody: 63 * megabyte })).body()).length, 63 * megabyte)
})

test('an answer without an end is left where it has too much', async (t) => {
  const base = await serve(t, (_, response) => {
    const more = (): void => {
      while (!response.destroyed && response.write(Buffer.alloc(megabyte)));
      response.once('drain', more)
    }
    more()
  })
  const { send } = createTransport()
  const answer = await send({ method: 'GET', url: base, headers: {}, mostBody: 4 * megabyte })
  await t.throwsAsync(answer.body(), { code: 'answer_too_large' })
})

test('a length that is only claimed takes no more memory from others than may be read', async (t) => {
  const base = await serve(t, ({ url }, response) => {
    if (url === '/other') {
      // Without its length.
      response.write('other')
      return void response.end()
    }
    response.setHeader('content-length', `${1000 * megabyte}`).write('begin')
  })
  // Long enough that no limit of time gives the room back.
  const { send } = createTransport({ timeout: 3_600_000 })
  const get = (path: string) =>
    send({ method: 'GET', url: new URL(path, base), headers: {}, mostBody: 10 * megabyte })
  const claiming = await get('/claiming')
  const never = claiming.body()
  t.is(`${await (await get('/other')).body()}`, 'other')
  claiming.stream.destroy(new Error('enough'))
  await t.throwsAsync(never)
})

test('bodies that are read take so much memory together; a short one need not wait', async (t) => {
  const finish: (() => void)[] = []
  let sent = 0
  const base = await serve(t, ({ url }, response) => {
    if (url === '/short') return void response.setHeader('content-length', '5').end('short')
    response.write('begin')
    response.once('finish', () => {
      sent += 1
    })
    if (url === '/first') finish.push(() => response.end())
    else response.end()
  })
  const { send } = createTransport()
  const read: string[] = []
  const get = async (path: string) => {
    const request = { method: 'GET', url: new URL(path, base), headers: {} }
    const answer = await send({ ...request, mostBody: 20 * megabyte })
    return answer.body().then(() => read.push(path))
  }
  const first = get('/first')
  await until(() => finish.length > 0)
  const others = [get('/second'), get('/third')]
  await until(() => sent === 2)
  await get('/short')
  for (const end of finish) end()
  await Promise.all([first, ...others])
  t.deepEqual(read.slice(0, 2), ['/short', '/first'])
})

test('an answer that breaks off while it waits for memory is told, and holds up nobody', async (t) => {
  const answers: { readonly end: () => void; readonly cut: () => void }[] = []
  const base = await serve(t, ({ socket }, response) => {
    response.write('begin')
    answers.push({ end: () => response.end(), cut: () => socket.destroy() })
  })
  const { send } = createTransport()
  const get = async () => {
    const request = { method: 'GET', url: base, headers: {} }
    return (await send({ ...request, mostBody: 30 * megabyte })).body()
  }
  const first = get()
  await until(() => answers.length === 1)
  const second = get()
  await until(() => answers.length === 2)
  answers[1]?.cut()
  await t.throwsAsync(second, { code: 'answer_lost' })
  answers[0]?.end()
  t.is(`${await first}`.length, 5)
})
