// Bound requests at the receiver's door, whichever HTTP server stands in front: each attack of issue 14 is
// carried out.
import { createHash } from 'node:crypto'
import { createServer, IncomingMessage, type Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import test, { type ExecutionContext } from 'ava'
import { fastify } from 'fastify'
import {
  answerId,
  createNonce,
  createRequestKey,
  parseReceipt,
  verifyReceipt,
} from '../../../protocol/bound/index.ts'
import { fastifyPaywall } from '../../../receiver/http/fastify.ts'
import { httpPaywall } from '../../../receiver/http/node.ts'
import type { Receiver, ReceiverOptions } from '../../../receiver/index.ts'
import { fastifyApi, receiverApi } from '../../../receiver/server/embed.ts'
import { boundClient, fieldOf, type Sent, send } from '../../support/bound-client.ts'
import { givenChannel } from '../../support/channel.ts'

const price = 5n
const large = 'x'.repeat(100_000)

/** What came of a request as the resource sees it. */
interface Seen {
  readonly method?: string | undefined
  readonly headers: { readonly [name: string]: unknown }
  readonly body: string
}

const servers: {
  readonly [name: string]: (receiver: Receiver, seen: Seen[]) => Promise<Server>
} = {
  'node:http': async (receiver, seen) => {
    const api = await receiverApi(receiver)
    const handler = httpPaywall(receiver, { price }, async (request, response) => {
      let body = ''
      for await (const chunk of request) body += chunk
      seen.push({ method: request.method, headers: { ...request.headers }, body })
      if (request.url === '/broken') throw new Error('the sensor is broken')
      response.setHeader('content-type', 'text/plain')
      if (request.url === '/large') {
        response.write(large)
        response.end('end')
      } else response.end(`served ${seen.length}`)
    })
    return createServer((request, response) =>
      api(request, response, () => void handler(request, response)),
    )
  },
  fastify: async (receiver, seen) => {
    const app = fastify({ pluginTimeout: 0 })
    await app.register(fastifyApi, { receiver })
    await app.register(fastifyPaywall, { ...receiver, price })
    app.all('/*', async (request, reply) => {
      const { method, headers, body } = request
      seen.push({
        method,
        headers: { ...headers },
        body: body === undefined ? '' : JSON.stringify(body),
      })
      if (request.url === '/broken') throw new Error('the sensor is broken')
      reply.type('text/plain')
      if (request.url !== '/large') return `served ${seen.length}`
      return reply.send(Readable.from([large, 'end']))
    })
    await app.ready()
    return app.server
  },
}

type Start = (receiver: Receiver, seen: Seen[]) => Promise<Server>

/** As Bun's is: it writes no head where one has gone out. */
class CarefulResponse extends ServerResponse {
  override writeHead(...args: readonly never[]): this {
    if (this.headersSent) throw new Error('the head has gone out')
    return Reflect.apply(super.writeHead, this, args)
  }
}

const careful: Start = async (receiver) => {
  const api = await receiverApi(receiver)
  const paid = httpPaywall(receiver, { price }, ({ url }, response) => {
    if (url === '/large') response.write(large)
    response.end('end')
  })
  return createServer({ IncomingMessage, ServerResponse: CarefulResponse }, (request, response) =>
    api(request, response, () => void paid(request, response)),
  )
}

async function given(t: ExecutionContext, start: Start, options: Partial<ReceiverOptions> = {}) {
  const system = await givenChannel(t, { receiver: options })
  const seen: Seen[] = []
  const server = await start(system.receiver, seen)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const client = await boundClient(origin, system)
  return { ...system, origin, client, seen }
}

async function givenBound(t: ExecutionContext, start: Start, options?: Partial<ReceiverOptions>) {
  const all = await given(t, start, options)
  const put = await all.client.putKey()
  t.true(put.authentic, put.body.toString())
  return all
}

test('a response that asks whether its head has gone out writes it', async (t) => {
  const { client } = await givenBound(t, careful)
  const whole = await client.ask('/good', { balance: 5n })
  t.deepEqual([whole.status, whole.authentic, whole.body.toString()], [200, true, 'end'])
  const later = await client.ask('/large', { balance: 10n })
  t.deepEqual([later.status, later.authentic, later.body.length], [200, true, large.length + 3])
})

for (const [name, start] of Object.entries(servers)) {
  test(`${name}: from the key to a paid answer, refusals and failures, all is signed`, async (t) => {
    const { client, seen, channel } = await given(t, start)
    t.is(client.offer.number > 0n, true)
    const put = await client.putKey()
    t.deepEqual([put.status, put.authentic], [200, true])
    t.is(fieldOf(put, 'rdn-sender-balance'), '0')
    const unpaid = await client.ask('/good')
    t.deepEqual([unpaid.status, unpaid.authentic], [402, true])
    t.is(fieldOf(unpaid, 'rdn-cost'), '0')
    const paid = await client.ask('/good', { balance: 5n })
    t.deepEqual([paid.status, paid.authentic, paid.body.toString()], [200, true, 'served 1'])
    t.like(Object.fromEntries(paid.fields.map(([field, value]) => [field.toLowerCase(), value])), {
      'rdn-cost': '5',
      'rdn-sender-balance': '5',
      'cache-control': 'private',
    })
    t.is(fieldOf(paid, 'rdn-receiver-address'), undefined)
    const wrong = await client.ask('/good', { balance: 20n })
    t.deepEqual([wrong.status, wrong.authentic], [200, true], 'a gap may be left')
    const spent = await client.ask('/other', { balance: 20n })
    t.deepEqual([spent.status, spent.authentic], [402, true])
    t.is(fieldOf(spent, 'rdn-balance-signature'), undefined)
    const broken = await client.ask('/broken', { balance: 25n })
    t.deepEqual([broken.status, broken.authentic, fieldOf(broken, 'rdn-cost')], [500, true, '0'])
    const head = await client.ask('/good', { method: 'HEAD', balance: 25n })
    t.deepEqual([head.status, head.authentic], [200, true])
    const posted = await client.ask('/good', { method: 'POST', body: '{"a":1}', balance: 30n })
    t.deepEqual([posted.status, posted.authentic, seen.at(-1)?.body], [200, true, '{"a":1}'])
    const again = await client.putKey()
    t.is(fieldOf(again, 'rdn-sender-balance'), '30')
    t.truthy(fieldOf(again, 'rdn-balance-signature'))
    const closed = await client.close(30n)
    t.deepEqual([closed.status, closed.authentic], [200, true], closed.body.toString())
    t.is((await client.ask('/good', { balance: 35n })).status, 402)
    t.truthy(channel)
  })

  test(`${name}: the same request again gets the same answer, and the resource is not asked`, async (t) => {
    const { client, seen, origin } = await givenBound(t, start)
    const { sent, mac } = client.make('/good', { method: 'POST', body: '{"a":1}', balance: 5n })
    const first = await send(origin, sent)
    const second = await send(origin, sent)
    t.deepEqual([first.status, second.status, seen.length], [200, 200, 1])
    t.deepEqual(second.body, first.body)
    t.true(client.isAuthentic(second, mac))
  })

  test(`${name}: an answer that came later is repeated whole, and the resource is not asked`, async (t) => {
    const { client, seen, origin } = await givenBound(t, start)
    const { sent, mac } = client.make('/large', { balance: 5n })
    const first = await send(origin, sent)
    t.is(fieldOf(first, 'rdn-body'), 'later')
    const second = await send(origin, sent)
    t.deepEqual([second.status, seen.length], [200, 1])
    t.deepEqual(second.body, first.body)
    t.true(client.isAuthentic(second, mac))
    t.true(fieldOf(second, 'content-digest') !== undefined)
  })

  test(`${name}: the head of a long answer is repeated, and the resource is not asked`, async (t) => {
    const { client, seen, origin } = await givenBound(t, start)
    const { sent, mac } = client.make('/large', { method: 'HEAD', balance: 5n })
    for (const time of ['first', 'second']) {
      const answer = await send(origin, sent)
      t.deepEqual([answer.status, answer.body.length, seen.length], [200, 0, 1], time)
      t.true(client.isAuthentic(answer, mac), time)
    }
  })

  test(`${name}: an answer that cannot be signed breaks off, and the resource is not asked`, async (t) => {
    const page = () => ({ html: 'pay', headers: { 'retry-after': 'ü' } })
    const { client, seen, origin } = await givenBound(t, start, { page })
    const fields = { accept: 'text/html' }
    await t.throwsAsync(send(origin, client.make('/good', { fields }).sent), { code: 'ECONNRESET' })
    t.is((await client.ask('/good', { balance: 5n })).status, 200)
    t.is(seen.length, 1)
  })

  test(`${name}: a ticket shows what was paid for once, where it was bought, and nothing else`, async (t) => {
    const { client, origin, seen, receiver } = await givenBound(t, start)
    const fields = { 'RDN-Ticket': '1', 'RDN-Origin': 'https://shop.example' }
    const pay = async (balance: bigint) => {
      const answer = await client.ask('/good?unit=c', { balance, fields })
      const cookie = fieldOf(answer, 'set-cookie') ?? ''
      t.regex(cookie, /^RDN-Ticket=[\w-]{43}; Path=\/good; /)
      return { body: answer.body.toString(), cookie: cookie.split(';', 1)[0] ?? '' }
    }
    const ask = (path: string, cookie: string, method = 'GET') =>
      fetch(`${origin}${path}`, { method, headers: { cookie } })
    const bought = await pay(5n)
    const shown = await ask('/good?unit=c', bought.cookie)
    t.deepEqual([shown.status, await shown.text()], [200, bought.body])
    t.is((await ask('/good?unit=c', bought.cookie)).status, 402)
    const other = await pay(10n)
    t.is((await ask('/good?unit=f', other.cookie)).status, 402)
    t.is((await ask('/good?unit=c', other.cookie)).status, 402)
    t.is((await ask('/good?unit=c', (await pay(15n)).cookie, 'POST')).status, 402)
    t.deepEqual([seen.length, receiver.book.unsettled()], [3, 15n])
    t.is(fieldOf(await client.ask('/good', { balance: 20n }), 'set-cookie'), undefined)
  })

  test(`${name}: what somebody adds about codings is not there: the page could not check the answer`, async (t) => {
    const { client, origin, seen } = await givenBound(t, start)
    const { sent } = client.make('/good', { balance: 5n })
    const fields = [...sent.fields, ['Accept-Encoding', 'gzip'] as const]
    t.is((await send(origin, { ...sent, fields })).status, 200)
    t.is(seen[0]?.headers['accept-encoding'], undefined)
  })

  test(`${name}: of an answer that comes later there is a receipt, for the sender`, async (t) => {
    const { client, origin } = await givenBound(t, start)
    const { sent, mac } = client.make('/large', { balance: 5n })
    const answer = await send(origin, sent)
    t.is(answer.body.length, large.length + 3)
    t.is(fieldOf(answer, 'rdn-body'), 'later')
    t.true(client.isAuthentic(answer, mac))
    const path = `${client.own}/answers/${answerId(mac)}`
    t.is((await fetch(`${origin}${path}`)).status, 401)
    const receipt = await client.ask(path)
    t.deepEqual([receipt.status, receipt.authentic], [200, true])
    const digest = createHash('sha256').update(answer.body).digest()
    const received = { status: 200, length: answer.body.length, digest }
    const proven = parseReceipt(receipt.body.toString())
    t.true(verifyReceipt(proven, received).ok)
    t.is(proven.cost, 5n)
  })

  test(`${name}: what was stolen of a bound channel pays for nothing and closes nothing`, async (t) => {
    const { client, origin, seen, headers, channel } = await givenBound(t, start)
    const { sent } = client.make('/good', { balance: 5n })
    // 1: the signature stripped off the first payment, used elsewhere and by cookie.
    const stripped = sent.fields.filter(([field]) => !/^signature/i.test(field))
    const taken = await send(origin, { ...sent, path: '/else', fields: stripped })
    t.is(taken.status, 402)
    t.is(fieldOf(taken, 'rdn-sender-balance'), undefined)
    const cookie = Object.entries(headers(5n))
      .map((pair) => pair.join('='))
      .join('; ')
    t.is((await fetch(`${origin}/good`, { headers: { cookie } })).status, 402)
    t.is((await client.ask('/good', { balance: 5n })).status, 200)
    // Closing by who knows the balance.
    const init = { method: 'DELETE', body: '{"balance":"5"}' }
    const json = { 'content-type': 'application/json' }
    t.is((await fetch(`${origin}${client.own}`, { ...init, headers: json })).status, 401)
    const query = await fetch(`${origin}${client.own}?balance=5`, { method: 'DELETE' })
    t.is(query.status, 401)
    t.is(seen.length, 1)
    t.is((await client.ask('/good', { balance: 10n })).status, 200, `${channel.openBlock}`)
  })

  test(`${name}: a reply that was kept before the channel was bound is given to nobody unbound`, async (t) => {
    const { client, origin, seen, headers } = await given(t, start)
    const unbound = () =>
      fetch(`${origin}/good`, { headers: headers(5n, { 'Idempotency-Key': 'a' }) })
    t.deepEqual([(await unbound()).status, (await unbound()).status], [200, 200])
    await client.putKey()
    t.is((await unbound()).status, 402)
    t.is(seen.length, 1)
  })

  test(`${name}: what is altered on its way is refused without a word about the channel`, async (t) => {
    const { client, origin, seen } = await givenBound(t, start)
    const { sent } = client.make('/good?unit=c', { method: 'POST', body: '{"a":1}', balance: 5n })
    const field = (name: string, value: string) => ({
      ...sent,
      fields: sent.fields.map(([each, was]) => [each, each === name ? value : was] as const),
    })
    const added = (name: string, value: string) => ({
      ...sent,
      fields: [...sent.fields, [name, value] as const],
    })
    const attacks = {
      path: { ...sent, path: '/else?unit=c' },
      query: { ...sent, path: '/good?unit=f' },
      method: { ...sent, method: 'PUT' },
      balance: field('RDN-Balance', '10'),
      sender: field('RDN-Sender-Address', '0x70997970C51812dc3A010C7d01b50e0d17dc79C8'),
      'second balance': added('RDN-Balance', '10'),
      'other RDN field': added('RDN-Sender-Balance', '10'),
      'Idempotency-Key': added('Idempotency-Key', 'abc'),
      'body swapped': { ...sent, body: Buffer.from('{"a":2}') },
      'body removed': { ...sent, body: Buffer.of() },
      'second digest': added(
        'Content-Digest',
        'sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:',
      ),
      '7: an answer’s MAC': field('Signature', `rdn=:${'A'.repeat(43)}=:`),
    }
    for (const [attack, changed] of Object.entries(attacks)) {
      const answer = await send(origin, changed)
      t.is(answer.status, 401, `${attack}: ${answer.body}`)
      t.regex(answer.body.toString(), /request_altered|request_key_unknown/, attack)
      t.false(
        answer.fields.some(([each]) => /^rdn-/i.test(each)),
        attack,
      )
    }
    const bare = client.make('/good', { balance: 5n }).sent
    const grown = await send(origin, { ...bare, method: 'GET', body: Buffer.from('{"a":1}') })
    t.is(grown.status, 401, 'a body added')
    t.is(seen.length, 0)
    t.is((await send(origin, sent)).status, 200)
  })

  test(`${name}: what is not covered is not there`, async (t) => {
    const { client, origin, seen } = await givenBound(t, start)
    const { sent } = client.make('/good', { balance: 5n })
    const added = {
      Range: 'bytes=0-1',
      'If-None-Match': '"a"',
      Accept: 'text/html',
      'X-HTTP-Method-Override': 'DELETE',
      Cookie: 'RDN-Sender-Balance=900; RDN-Idempotency-Key=abc',
      Authorization: 'Basic eDp5',
      'X-Other': 'stays',
    }
    const answer = await send(origin, {
      ...sent,
      fields: [...sent.fields, ...Object.entries(added)],
    })
    t.is(answer.status, 200)
    const [{ headers } = { headers: {} }] = seen
    const names = Object.keys(headers)
    for (const field of Object.keys(added)) {
      t.is(names.includes(field.toLowerCase()), field === 'X-Other', field)
    }
    t.false(names.includes('signature'))
    const kept = await client.ask('/good', { balance: 10n, fields: { Range: 'bytes=0-1' } })
    t.is(kept.status, 200)
    t.is(seen.at(-1)?.headers.range, 'bytes=0-1')
  })

  test(`${name}: an answer is to its request and to no other`, async (t) => {
    const { client } = await givenBound(t, start)
    const one = await client.ask('/good', { nonce: createNonce() })
    const other = await client.ask('/good', { nonce: createNonce() })
    t.true(client.isAuthentic(one, one.mac))
    t.false(client.isAuthentic(one, other.mac))
  })

  test(`${name}: keys only rise, are the sender’s own, and lock nobody out`, async (t) => {
    const system = await given(t, start)
    const { origin, client, chain, receiverAccount } = system
    t.is((await client.ask('/good', { balance: 5n })).status, 401, 'unknown before it is put')
    const code = (answer: { readonly body: Buffer }) => JSON.parse(answer.body.toString()).code
    const ahead = await boundClient(origin, system, { number: 1_000_000n })
    const tooHigh = await ahead.putKey()
    t.deepEqual([tooHigh.status, code(tooHigh)], [400, 'request_key_invalid'])
    const thief = await boundClient(origin, system, { key: receiverAccount.privateKey })
    const stolen = await thief.putKey()
    t.deepEqual([stolen.status, code(stolen)], [400, 'request_key_invalid'])
    t.is((await client.putKey()).status, 200)
    const newer = await boundClient(origin, system, {
      number: BigInt(system.channel.openBlock) + 1n,
      pair: createRequestKey(),
    })
    t.deepEqual([(await newer.putKey()).authentic, (await newer.putKey()).status], [true, 200])
    const replayed = await client.putKey()
    t.deepEqual([replayed.status, code(replayed)], [409, 'request_key_replaced'])
    const old = await client.ask('/good', { balance: 5n })
    t.deepEqual([old.status, code(old)], [401, 'request_key_unknown'])
    t.is((await newer.ask('/good', { balance: 5n })).status, 200)
    const unknown = await fetch(`${origin}/api/1/channels/${system.channel.sender}/1/request-key`, {
      method: 'PUT',
      body: client.putBody,
    })
    t.deepEqual([unknown.status, unknown.headers.get('retry-after')], [404, '1'])
    t.truthy(chain)
  })

  test(`${name}: a request for another origin is refused where origins are named`, async (t) => {
    const { client } = await given(t, start, { origins: ['http://shop.example'] })
    const put = await client.putKey()
    t.is(put.status, 401)
    t.is(JSON.parse(put.body.toString()).code, 'other_origin')
  })

  test(`${name}: where binding is required nobody pays unbound`, async (t) => {
    const { client, origin, headers } = await given(t, start, { bound: 'require' })
    t.is((await fetch(`${origin}/good`, { headers: headers(5n) })).status, 402)
    await client.putKey()
    t.is((await client.ask('/good', { balance: 5n })).status, 200)
  })

  test(`${name}: what a proxy takes off the front of paths is put back before the check`, async (t) => {
    const system = await given(t, start, { publicPath: '/shop' })
    const { origin } = system
    const behind = (to: string, sent: Sent) => send(to, { ...sent, path: sent.path.slice(5) })
    const client = await boundClient(origin, system, { send: behind, root: '/shop/api/1' })
    t.true((await client.putKey()).authentic)
    const paid = await client.ask('/shop/good?unit=c', { balance: 5n })
    t.deepEqual([paid.status, paid.authentic], [200, true])
    const other = await send(origin, client.make('/good', { balance: 10n }).sent)
    t.is(other.status, 401, 'signed for a path without it')
    const terms = await fetch(`${origin}/good`)
    t.is(terms.headers.get('rdn-gateway-path'), '/shop/api/1')
    t.true((await client.close(5n)).authentic)
  })

  test(`${name}: a path that can be read in two ways is refused, signed`, async (t) => {
    const { client } = await givenBound(t, start)
    for (const path of ['//good', '/a/../good', '/a%2fgood']) {
      const answer = await client.ask(path, { balance: 5n })
      t.deepEqual([answer.status, answer.authentic], [400, true], path)
    }
  })
}
