// A bound request whose answer was lost is run once more, and never for nothing: its MAC is its key.
import {
  type ClientRequest,
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import { fastify } from 'fastify'
import { createKeySigner } from '../../../platform/keys/index.ts'
import { fromHex } from '../../../protocol/index.ts'
import {
  createSending,
  nextAnswer,
  openAnswer,
  ringSize,
  withoutNumber,
  withPaid,
} from '../../../receiver/channels/answers.ts'
import { claimedSum } from '../../../receiver/channels/claims.ts'
import { decodeLedger, encodeLedger } from '../../../receiver/channels/ledger-record.ts'
import { type AnswerNumbers, channelName, emptyLedger } from '../../../receiver/channels/records.ts'
import { openStore, type Reply } from '../../../receiver/channels/store.ts'
import { fastifyPaywall } from '../../../receiver/http/fastify.ts'
import { httpPaywall } from '../../../receiver/http/node.ts'
import { type Receiver, startReceiver } from '../../../receiver/index.ts'
import { fastifyApi, receiverApi } from '../../../receiver/server/embed.ts'
import { boundClient, fieldOf, type Sent, send } from '../../support/bound-client.ts'
import { givenChannel } from '../../support/channel.ts'
import { crashCopy, temporaryFolder } from '../../support/folder.ts'
import { until } from '../../support/until.ts'

const price = 5n
/** More than is kept as a reply here. */
const long = 'x'.repeat(200)
const replies = { largestBody: 100 }

/** What the resource does: `/slow` begins and does not end before it is told to. */
interface Work {
  readonly price: bigint | ((request: { readonly url?: string | undefined }) => Promise<bigint>)
  readonly seen: string[]
  /** What was asked for on connections whose client's side has closed. */
  readonly left: string[]
  /** Answers whose connection has closed, or that went out. */
  readonly over: string[]
  go: () => void
  readonly gone: Promise<void>
}

function work(asked: Work['price'] = price): Work {
  let go: () => void = () => undefined
  const gone = new Promise<void>((resolve) => (go = resolve))
  return { price: asked, seen: [], left: [], over: [], go, gone }
}

async function* slowly({ gone }: Work) {
  yield Buffer.from(long)
  await gone
  yield Buffer.from('end')
}

const isSlow = (url: string, { seen }: Work) => url === '/slow' && seen.length === 1

const servers: {
  readonly [name: string]: (receiver: Receiver, work: Work) => Promise<Server>
} = {
  'node:http': async (receiver, work) => {
    const api = await receiverApi(receiver)
    const handler = httpPaywall(receiver, { price: work.price }, async (request, response) => {
      for await (const _ of request);
      work.seen.push(request.url ?? '')
      if (request.url === '/broken') throw new Error('the sensor is broken')
      if (isSlow(request.url ?? '', work)) {
        response.flushHeaders()
        for await (const chunk of slowly(work)) response.write(chunk)
      }
      response.end(request.url === '/short' ? 'short' : long)
    })
    return createServer((request, response) =>
      api(request, response, () => void handler(request, response)),
    )
  },
  fastify: async (receiver, work) => {
    const app = fastify({ pluginTimeout: 0 })
    await app.register(fastifyApi, { receiver })
    await app.register(fastifyPaywall, { ...receiver, price: work.price })
    app.all('/*', async ({ url }, reply) => {
      work.seen.push(url)
      if (url === '/broken') throw new Error('the sensor is broken')
      reply.type('text/plain')
      if (!isSlow(url, work)) return url === '/short' ? 'short' : long
      return reply.send(Readable.from(slowly(work)))
    })
    await app.ready()
    return app.server
  },
}

async function listening(t: ExecutionContext, server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

type Start = (receiver: Receiver, work: Work) => Promise<Server>

async function given(t: ExecutionContext, start: Start, asked?: Work['price']) {
  // What is collected goes out with the first byte over this.
  const system = await givenChannel(t, { receiver: { replies, collect: 10 } })
  const first = work(asked)
  const server = await start(system.receiver, first)
  server.on('request', ({ url = '', socket }: IncomingMessage, response: ServerResponse) => {
    // Of whom only its side is closed the rest is seen when it is written to.
    socket.once('end', () => first.left.push(url))
    response.once('close', () => first.over.push(url))
  })
  const origin = await listening(t, server)
  const client = await boundClient(origin, system)
  await client.putKey()
  let copies = 0
  /** A process on what a power cut would leave of the state now. */
  const next = async (from = 'receiver') => {
    const { chain, contract, folder, receiverAccount } = system
    const state = `copy-${++copies}`
    const receiver = await startReceiver({
      confirmations: 1,
      signer: createKeySigner(fromHex(receiverAccount.privateKey)),
      rpcUrl: chain.rpcUrl,
      contract,
      state: await crashCopy(join(folder, from), join(folder, state)),
      pollInterval: 20,
      verifierThreads: 0,
      replies,
    })
    await receiver.synced
    t.teardown(receiver.stop)
    const own = work()
    return { origin: await listening(t, await start(receiver, own)), state, ...own }
  }
  const claimed = () =>
    claimedSum(system.receiver.book.ledger(system.channel.sender, system.channel.openBlock).claims)
  return { ...system, origin, client, ...first, next, claimed }
}

function begin(origin: string, { method, path, fields, body }: Sent): ClientRequest {
  const { hostname, port } = new URL(origin)
  const length = body.length > 0 ? ['Content-Length', `${body.length}`] : []
  const headers = ['Host', `${hostname}:${port}`, ...fields.flat(), ...length]
  return httpRequest({ hostname, port, method, path, headers, agent: false }).end(body)
}

/** Hangs up at the first byte of the body. */
function hangUp(origin: string, sent: Sent): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = begin(origin, sent)
    request.once('error', reject).once('response', (response: IncomingMessage) => {
      response.once('data', () => {
        request.off('error', reject).on('error', () => undefined)
        response.on('error', () => undefined)
        request.destroy()
        resolve()
      })
    })
  })
}

for (const [name, start] of Object.entries(servers)) {
  test(`${name}: a GET whose answer broke off is run once more, and never a third time`, async (t) => {
    const { client, origin, seen, left, over, go, claimed } = await given(t, start)
    const { sent, mac } = client.make('/slow', { balance: 5n })
    await hangUp(origin, sent)
    await until(() => left.includes('/slow'))
    go()
    await until(() => over.includes('/slow'))
    const again = await send(origin, sent)
    t.deepEqual([again.status, again.body.toString(), seen.length], [200, long, 2])
    t.true(client.isAuthentic(again, mac))
    t.is(fieldOf(again, 'rdn-cost'), '5')
    t.is(claimed(), 5n)
    const third = await send(origin, sent)
    t.deepEqual([third.status, seen.length, claimed()], [402, 2, 5n])
    t.true(client.isAuthentic(third, mac))
    t.is((await client.ask('/next', { balance: 10n })).status, 200)
  })

  test(`${name}: who hangs up before it is paid for is answered when he asks again, once`, async (t) => {
    const prices: string[] = []
    let decide: () => void = () => undefined
    const decided = new Promise<void>((resolve) => (decide = resolve))
    const { client, origin, seen, over, claimed } = await given(t, start, async ({ url = '' }) => {
      prices.push(url)
      if (prices.length === 1) await decided
      return price
    })
    const { sent } = client.make('/long', { balance: 5n })
    const first = begin(origin, sent)
    first.on('error', () => undefined)
    await until(() => prices.length === 1)
    // With what makes the other side's end of the connection close as well.
    first.socket?.resetAndDestroy()
    await until(() => over.includes('/long'))
    decide()
    const again = await send(origin, sent)
    t.deepEqual([again.status, again.body.toString(), claimed()], [200, long, 5n])
    t.is((await send(origin, sent)).status, 402)
    t.true(seen.length <= 2)
  })

  test(`${name}: what left whole is not run again`, async (t) => {
    const { client, origin, seen } = await given(t, start)
    const { sent } = client.make('/long', { balance: 5n })
    t.is((await send(origin, sent)).status, 200)
    t.is((await send(origin, sent)).status, 402)
    t.is(seen.length, 1)
  })

  test(`${name}: a POST gets its kept reply, and without one it is not run again`, async (t) => {
    const { client, origin, seen, left, over, go } = await given(t, start)
    const slow = client.make('/slow', { method: 'POST', body: '{"a":1}', balance: 5n })
    await hangUp(origin, slow.sent)
    await until(() => left.includes('/slow'))
    go()
    await until(() => over.includes('/slow'))
    t.is((await send(origin, slow.sent)).status, 402)
    const short = client.make('/short', { method: 'POST', body: '{"a":1}', balance: 10n })
    await hangUp(origin, short.sent)
    const kept = await send(origin, short.sent)
    t.deepEqual([kept.status, kept.body.toString(), seen.length], [200, 'short', 2])
  })

  test(`${name}: what was given back is a new payment, as often as it fails`, async (t) => {
    const { client, origin, seen, claimed } = await given(t, start)
    const { sent } = client.make('/broken', { balance: 5n })
    for (const times of [1, 2, 3]) {
      const answer = await send(origin, sent)
      t.deepEqual([answer.status, fieldOf(answer, 'rdn-cost')], [500, '0'])
      t.is(seen.length, times)
    }
    t.is(claimed(), 0n)
  })

  test(`${name}: killed before the answer, it is run once more, and not by whoever has its balance`, async (t) => {
    const { client, origin, seen, next } = await given(t, start)
    const { sent, mac } = client.make('/slow', { balance: 5n })
    void send(origin, sent).catch(() => undefined)
    await until(() => seen.length === 1)
    const second = await next()
    const other = client.make('/other', { balance: 5n })
    t.is((await send(second.origin, other.sent)).status, 402)
    const slow = send(second.origin, sent).catch(() => undefined)
    await until(() => second.seen.length === 1)
    // Killed again: it had its chance.
    const third = await next(second.state)
    const refused = await send(third.origin, sent)
    t.deepEqual([refused.status, third.seen.length], [402, 0])
    t.true(client.isAuthentic(refused, mac))
    second.go()
    await slow
  })

  test(`${name}: after a kill only what was on its way is run again`, async (t) => {
    const { client, origin, next } = await given(t, start)
    const one = client.make('/one', { balance: 5n })
    const two = client.make('/two', { balance: 10n })
    t.is((await send(origin, one.sent)).status, 200)
    t.is((await send(origin, two.sent)).status, 200)
    const second = await next()
    t.is((await send(second.origin, one.sent)).status, 402)
    // Of the last one the disk does not know; it is answered once more, and claims nothing.
    t.is((await send(second.origin, two.sent)).status, 200)
    t.is((await send(second.origin, two.sent)).status, 402)
  })
}

test('an answer that cannot be kept has cost nothing, and says so', async (t) => {
  const start: Start = (receiver, work) => {
    const admit: Receiver['paywall']['admit'] = async (request, asked) => {
      const admission = await receiver.paywall.admit(request, asked)
      if (admission.kind !== 'paid') return admission
      const keepReply = async (reply?: Reply) => {
        if (reply) throw new Error('the disk is full')
        await admission.keepReply?.()
      }
      return { ...admission, keepReply }
    }
    return (servers.fastify as Start)(
      { ...receiver, paywall: { ...receiver.paywall, admit } },
      work,
    )
  }
  const { client, origin, claimed } = await given(t, start)
  const { sent } = client.make('/short', { balance: 5n })
  const answer = await send(origin, sent)
  t.deepEqual([answer.status, fieldOf(answer, 'rdn-cost'), claimed()], [500, '0', 0n])
})

test('a repetition waits for the answer that is on its way', async (t) => {
  const { client, origin, seen, go } = await given(t, servers.fastify as Start)
  const { sent } = client.make('/slow', { balance: 5n })
  const first = send(origin, sent)
  await until(() => seen.length === 1)
  const second = send(origin, sent)
  go()
  t.is((await first).status, 200)
  t.deepEqual([(await second).status, seen.length], [402, 1])
})

const mac = (number: number) => number.toString(16).padStart(32, '0')

const paid = (from: number) => ({ from: BigInt(from), to: BigInt(from + 1) })

test('64 answers of a channel are kept, the oldest goes first', async (t) => {
  const owner = { chainId: 1n, contract: `0x${'11'.repeat(20)}`, account: `0x${'22'.repeat(20)}` }
  const store = await openStore(await temporaryFolder(t), owner as Parameters<typeof openStore>[1])
  t.teardown(store.close)
  const name = channelName(`0x${'33'.repeat(20)}` as Parameters<typeof channelName>[0], 7)
  let answers: AnswerNumbers | undefined
  for (let number = 1; number <= ringSize + 10; number++) {
    answers = nextAnswer(answers, { mac: mac(number), paid: paid(number) })
    await store.saveLedger(name, { ...emptyLedger, answers })
  }
  const found = (await store.load()).ledgers.get(name)?.answers
  t.deepEqual(
    found?.open.map(({ number }) => number),
    Array.from({ length: ringSize }, (_, at) => at + 11),
  )
  t.is(openAnswer(found, mac(10)), undefined)
  t.deepEqual(openAnswer(found, mac(11)), { number: 11, mac: mac(11), paid: paid(11) })
  const next = nextAnswer(found, { mac: mac(1), paid: paid(0) })
  t.is(openAnswer(next, mac(11)), undefined)
  t.is(next.last, ringSize + 11)
})

test('whoever waits for an answer goes on when it is over, and nobody waits for others', async (t) => {
  const sending = createSending()
  const [one, other] = [`0x${'33'.repeat(20)}/7`, `0x${'33'.repeat(20)}/8`] as const
  const name = one as ReturnType<typeof channelName>
  sending.begin(name, mac(1))
  t.is(sending.find(other as typeof name, mac(1)), undefined)
  t.is(sending.find(name, mac(2)), undefined)
  const over = sending.find(name, mac(1))
  sending.end(name, mac(1))
  await t.notThrowsAsync(over ?? Promise.reject(new Error('it was not begun')))
  t.is(sending.find(name, mac(1)), undefined)
  t.notThrows(() => sending.end(name, mac(1)))
})

test('answers on their way are read back to the unit', (t) => {
  const amount = fc.bigInt({ min: 0n, max: 2n ** 191n - 1n })
  const bytes = fc.uint8Array({ minLength: 16, maxLength: 16 })
  const each = fc.tuple(fc.integer({ min: 0, max: ringSize - 1 }), bytes, amount, amount)
  const last = fc.integer({ min: ringSize, max: 2 ** 31 })
  fc.assert(
    fc.property(last, fc.array(each, { maxLength: ringSize }), (last, all) => {
      const open = all.map(([below, name, from, more]) => ({
        number: last - below,
        mac: Buffer.from(name).toString('hex'),
        paid: { from, to: from + more },
      }))
      const ledger = { ...emptyLedger, answers: { last, open } }
      t.deepEqual(decodeLedger(encodeLedger(ledger)), ledger)
    }),
  )
})

test('what was given back is noted of that answer, and of no other', (t) => {
  const two = nextAnswer(nextAnswer(undefined, { mac: mac(1), paid: paid(0) }), {
    mac: mac(2),
    paid: { from: 1n, to: 3n },
  })
  const less = { from: 1n, to: 2n }
  t.deepEqual(withPaid(two, 2, less), {
    last: 2,
    open: [
      { number: 1, mac: mac(1), paid: paid(0) },
      { number: 2, mac: mac(2), paid: less },
    ],
  })
  t.deepEqual(withPaid(two, 3, less), two)
  // All of it: it has paid nothing, and may pay once more.
  t.deepEqual(withPaid(two, 2, { from: 1n, to: 1n }), withoutNumber(two, 2))
})

test('however payments begin and end, no number is open that left, or is older than 64', (t) => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.nat(80)), { maxLength: 300 }), (steps) => {
      let numbers: AnswerNumbers = { last: 0, open: [] }
      const left = new Set<number>()
      for (const step of steps) {
        if (step === null) numbers = nextAnswer(numbers, { mac: mac(0), paid: paid(0) })
        else {
          left.add(numbers.last - step)
          numbers = withoutNumber(numbers, numbers.last - step)
        }
        const open = numbers.open.map(({ number }) => number)
        t.true(open.every((each) => !left.has(each) && each > numbers.last - ringSize))
        t.deepEqual(
          open.toSorted((a, b) => a - b),
          open,
        )
      }
    }),
  )
})
