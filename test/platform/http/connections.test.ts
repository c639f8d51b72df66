// Clients that take more of a server than they should, each as it would be done.
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { connect as connectSecurely } from 'node:tls'
import test, { type ExecutionContext } from 'ava'
import { type ConnectionLimits, limitConnections } from '../../../platform/http/connections.ts'
import { until } from '../../support/until.ts'

const served: RequestListener = (request, response) => {
  response.end(`served ${request.url}`)
}

/** In milliseconds: nobody is cut for being slow but where a test says so. */
const anHour = 3_600_000

async function given(
  t: ExecutionContext,
  limits: Partial<ConnectionLimits>,
  listener: RequestListener = served,
  isBusy: () => boolean = () => false,
) {
  const server = createServer(listener)
  /** Of connections to come, as the server sees it. */
  let from: string | undefined
  server.prependListener('connection', (socket: Socket) => {
    if (from !== undefined) Object.defineProperty(socket, 'remoteAddress', { value: from })
  })
  const guard = limitConnections(server, { stall: anHour, ...limits }, isBusy)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return {
    ...{ guard, server },
    setAddress: (address: string) => {
      from = address
    },
    open: async () => opened(t, connect(port, '127.0.0.1'), guard.counts),
  }
}

/** Resolves when the server has taken it, or not. */
async function opened(
  t: ExecutionContext,
  socket: Socket,
  counts: ReturnType<typeof limitConnections>['counts'],
) {
  t.teardown(() => socket.destroy())
  const seen = () => {
    const { open, refused, cut } = counts()
    return [open, ...Object.values(refused), ...Object.values(cut)].join()
  }
  const before = seen()
  let text = ''
  socket.on('error', () => undefined)
  const closed = new Promise<true>((resolve) => socket.once('close', () => resolve(true)))
  await until(() => seen() !== before, seen)
  return {
    socket,
    /** What the system has of the answer has to be read before its end is seen. */
    gone: () => {
      socket.resume()
      return closed
    },
    read: () => socket.on('data', (chunk) => (text += chunk)),
    text: () => text,
    askSigned: (path: string) =>
      socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nSignature: x\r\n\r\n`),
    ask: (...paths: readonly string[]) =>
      socket.write(paths.map((path) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`).join('')),
    answers: (...paths: readonly string[]) =>
      until(
        () => paths.every((path) => text.includes(`served ${path}`)),
        () => text,
      ),
  }
}

test('a full server takes nobody new while it works for all that are there', async (t) => {
  const answers: (() => void)[] = []
  const { guard, open } = await given(t, { most: 2 }, (request, response) => {
    answers.push(() => served(request, response))
  })
  const clients = [await open(), await open()]
  for (const client of clients) {
    client.read()
    client.ask('/a')
  }
  await until(() => answers.length === 2)
  t.true(await (await open()).gone())
  t.is(guard.counts().refused['all are in use'], 1)
  t.is(guard.counts().open, 2)
  for (const answer of answers) answer()
  for (const { answers } of clients) await answers('/a')
})

test('a full server gives the place of who has been idle longest to whoever comes', async (t) => {
  const { guard, open } = await given(t, { most: 3 })
  const [first, second, third] = [await open(), await open(), await open()]
  first.read()
  first.ask('/a')
  await first.answers('/a')
  const newcomer = await open()
  t.true(await second.gone())
  newcomer.read()
  newcomer.ask('/b')
  await newcomer.answers('/b')
  t.false(first.socket.closed || third.socket.closed)
  t.like(guard.counts(), { open: 3, cut: { 'another one needed its place': 1 } })
})

test('who pays keeps its place, idle or not, and who does nothing loses it', async (t) => {
  const { guard, open } = await given(t, { most: 2 }, (request, response) => {
    if (request.url === '/paid') guard.paid(request.socket)
    served(request, response)
  })
  const paying = await open()
  paying.read()
  paying.ask('/paid')
  await paying.answers('/paid')
  for (let index = 0; index < 20; index++) await open()
  paying.ask('/again')
  await paying.answers('/again')
  t.is(guard.counts().cut['another one needed its place'], 19)
})

test('who does not read its answer loses its place too', async (t) => {
  const { guard, open } = await given(t, { most: 1 }, (_, response) => {
    response.end(Buffer.alloc(16 << 20))
  })
  const deaf = await open()
  deaf.ask('/large')
  await until(() => guard.counts().bytes > 0)
  await open()
  t.is(guard.counts().cut['another one needed its place'], 1)
  t.true(await deaf.gone())
})

test('an address has its share, a network of IPv6 one together; this machine and proxies have none', async (t) => {
  let working = 0
  const limits = { perAddress: 2, proxies: ['192.0.2.9'] }
  const { guard, open, setAddress } = await given(t, limits, () => void working++)
  /** The server is at work for it, so that it cannot be cut for another one. */
  const work = async (address: string) => {
    const before = working
    setAddress(address)
    const client = await open()
    client.ask('/')
    await until(() => working > before)
  }
  for (const address of ['127.0.0.1', '127.0.0.2', '::1', '192.0.2.9']) {
    for (let index = 0; index < 3; index++) await work(address)
  }
  for (const [first, second, elsewhere] of [
    ['192.0.2.1', '192.0.2.1', '192.0.2.2'],
    ['2001:db8::1', '2001:db8::2', '2001:db8:0:1::1'],
  ] as const) {
    const before = guard.counts().refused['its address has its share']
    await work(first)
    await work(second)
    t.true(await (await open()).gone())
    t.is(guard.counts().refused['its address has its share'], before + 1)
    await work(elsewhere)
  }
  t.is(guard.counts().refused['all are in use'], 0)
})

test('an address that has its share gives up its own idle connection first', async (t) => {
  const { open, setAddress, guard } = await given(t, { perAddress: 2 })
  const other = await open()
  setAddress('192.0.2.1')
  const idle = await open()
  const kept = await open()
  await open()
  t.true(await idle.gone())
  t.false(kept.socket.closed || other.socket.closed)
  t.is(guard.counts().open, 3)
})

test('a client that takes nothing of its answer is cut; one that waits for ours is not', async (t) => {
  let finish: () => void = () => undefined
  // Whoever has not asked yet is closed after the same time, uncounted: on a busy machine that must not come first.
  const { guard, open } = await given(t, { stall: 3000 }, (request, response) => {
    if (request.url === '/large') response.end(Buffer.alloc(16 << 20))
    else finish = () => served(request, response)
  })
  const deaf = await open()
  const waiting = await open()
  waiting.read()
  waiting.ask('/slow')
  deaf.ask('/large')
  await until(() => guard.counts().cut['it did not read'] === 1)
  t.true(await deaf.gone())
  // The silence of the other one was as long.
  finish()
  await waiting.answers('/slow')
})

test('a client that reads slowly and does read gets all of it', async (t) => {
  const size = 8 << 20
  const { guard, open } = await given(t, { stall: 2000 }, (_, response) => {
    response.end(Buffer.alloc(size))
  })
  const slow = await open()
  slow.ask('/large')
  let read = 0
  while (read < size) {
    const chunk = slow.socket.read(1 << 18) ?? slow.socket.read()
    if (chunk === null) await new Promise((resolve) => slow.socket.once('readable', resolve))
    else read += chunk.length
  }
  t.is(guard.counts().cut['it did not read'], 0)
})

test('requests that come together are answered in their order, one at a time', async (t) => {
  let atOnce = 0
  let most = 0
  const { open } = await given(t, { pipelined: 3 }, (request, response) => {
    most = Math.max(most, ++atOnce)
    setImmediate(() => {
      atOnce--
      served(request, response)
    })
  })
  const client = await open()
  client.read()
  client.ask('/a', '/b', '/c')
  await client.answers('/a', '/b', '/c')
  t.regex(client.text(), /served \/a.*served \/b.*served \/c/s)
  t.is(most, 1)
  client.ask('/d')
  await client.answers('/d')
})

test('one request too many at once, and the connection is cut; none of the waiting is begun', async (t) => {
  const begun: (string | undefined)[] = []
  const { guard, open } = await given(t, { pipelined: 3 }, ({ url }) => void begun.push(url))
  const enough = await open()
  enough.ask('/a', '/b', '/c')
  const tooMany = await open()
  tooMany.ask('/1', '/2', '/3', '/4')
  t.true(await tooMany.gone())
  t.deepEqual(begun.toSorted(), ['/1', '/a'])
  t.false(enough.socket.closed)
  t.is(guard.counts().cut['it sent too many requests at once'], 1)
})

test('what clients do not read is bounded in all, and who pays is cut last', async (t) => {
  // Far more than what the system takes for a client that does not read.
  const each = 16 << 20
  const answer = Buffer.alloc(each)
  const { guard, open } = await given(t, { mostBytes: 4 * each }, (request, response) => {
    if (request.url === '/paid') guard.paid(request.socket)
    response.end(answer)
  })
  const paying = await open()
  paying.ask('/paid')
  const deaf = []
  for (let index = 0; index < 20; index++) {
    const client = await open()
    client.ask('/large')
    deaf.push(client)
  }
  await until(() => guard.counts().cut['too much waits to be read'] >= 16)
  t.true(guard.counts().bytes <= 5 * each)
  t.false(paying.socket.closed)
  paying.read()
  await until(() => paying.text().length > each)
})

test('requests that do not become whole are bounded in the same way', async (t) => {
  const { guard, open } = await given(t, { mostBytes: 3 << 20 }, (request) => {
    request.on('data', () => undefined)
  })
  const uploads = []
  for (let index = 0; index < 6; index++) {
    const upload = await open()
    upload.socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n')
    upload.socket.write(Buffer.alloc(1 << 20))
    uploads.push(upload)
  }
  await until(() => guard.counts().cut['too much waits to be read'] > 0)
  await until(() => guard.counts().bytes <= 3 << 20)
  t.true(guard.counts().open >= 2)
})

/** Answers to `/endless` go on for ever; what is begun is written down. */
async function givenBusy(t: ExecutionContext, limits: Partial<ConnectionLimits>) {
  const begun: (string | undefined)[] = []
  let looks = 0
  const writing = new Set<NodeJS.Timeout>()
  t.teardown(() => writing.forEach(clearInterval))
  const system = await given(
    t,
    limits,
    (request, response) => {
      begun.push(request.url)
      if (request.url === '/paid') guard.paid(request.socket)
      if (request.url !== '/endless') served(request, response)
      else writing.add(setInterval(() => response.write('more'), 1))
    },
    () => ++looks > 0,
  )
  const { guard, open } = system
  const paying = await open()
  paying.read()
  paying.ask('/paid')
  await paying.answers('/paid')
  // From then on it knows that it is busy.
  await until(() => looks > 0)
  const openMany = async (count: number) => {
    const clients = []
    for (let index = 0; index < count; index++) {
      const client = await open()
      client.read()
      clients.push(client)
    }
    return clients
  }
  return { ...system, begun, paying, openMany }
}

test('a busy server works first for who has paid, then for who says that it pays', async (t) => {
  const { begun, paying, openMany } = await givenBusy(t, {})
  const [signed, ...strangers] = await openMany(40)
  for (const stranger of strangers) stranger.ask('/endless')
  signed?.askSigned('/signed')
  paying.ask('/again')
  await signed?.answers('/signed')
  await paying.answers('/again')
  t.true(begun.filter((path) => path === '/endless').length < strangers.length)
  // In the end everybody is served.
  await until(() => begun.filter((path) => path === '/endless').length === strangers.length)
})

test('who waits on a busy server without saying that it pays gives its place to whoever comes', async (t) => {
  const { guard, paying, openMany } = await givenBusy(t, { most: 40 })
  for (const stranger of await openMany(39)) stranger.ask('/endless')
  const [newcomer] = await openMany(1)
  newcomer?.askSigned('/paid')
  await newcomer?.answers('/paid')
  paying.ask('/again')
  await paying.answers('/again')
  t.like(guard.counts().refused, { 'all are in use': 0 })
  t.is(guard.counts().cut['another one needed its place'], 1)
})

async function givenSecure(t: ExecutionContext, limits: Partial<ConnectionLimits>) {
  const file = (name: string) =>
    readFile(new URL(`../../support/certificates/${name}`, import.meta.url))
  const tls = { key: await file('ca-first.key'), cert: await file('ca-first.pem') }
  const server = createSecureServer(tls, (request, response) => {
    if (request.url === '/paid') guard.paid(request.socket)
    if (request.url === '/large') response.end(Buffer.alloc(16 << 20))
    else served(request, response)
  })
  const guard = limitConnections(server, { stall: anHour, ...limits })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const open = async () => {
    const socket = connectSecurely({ port, host: '127.0.0.1', rejectUnauthorized: false })
    const secured = once(socket, 'secureConnect')
    const client = await opened(t, socket, guard.counts)
    await secured
    return client
  }
  return { guard, open }
}

test('over TLS it is the same: places, and requests at once', async (t) => {
  const { open } = await givenSecure(t, { most: 2, pipelined: 3 })
  const paying = await open()
  paying.read()
  paying.ask('/paid')
  await paying.answers('/paid')
  const idle = await open()
  const hasty = await open()
  t.true(await idle.gone())
  hasty.ask('/1', '/2', '/3', '/4')
  t.true(await hasty.gone())
  paying.ask('/again')
  await paying.answers('/again')
})

test('over TLS it is the same: who does not read', async (t) => {
  const { guard, open } = await givenSecure(t, { stall: 3000 })
  const deaf = await open()
  deaf.ask('/large')
  await until(() => guard.counts().cut['it did not read'] === 1)
  t.true(await deaf.gone())
})
