// What the proxy hands on of a receiver's answer, and of a program's request, where somebody between changes things.
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { buffer } from 'node:stream/consumers'
import test, { type ExecutionContext } from 'ava'
import type { ProxyOptions } from '../../../agent/proxy/server.ts'
import { between, boundReceiver, type Meddling, withFields } from '../../support/bound-receiver.ts'
import { agentWithChannel, asks, lyingReceiver, serves } from '../../support/lying-receiver.ts'
import { startTestProxy } from '../../support/proxy.ts'

interface Got {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

function through(port: number, path: string, headers: Record<string, string> = {}): Promise<Got> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest({ host: '127.0.0.1', port, path, headers }, async (answer) => {
      const body = await buffer(answer).catch(reject)
      const { statusCode: status = 0, headers } = answer
      if (body) resolve({ status, headers, body: `${body}` })
    })
    sent.once('error', reject)
    sent.end()
  })
}

async function given(
  t: ExecutionContext,
  meddling: Meddling = {},
  options: Partial<ProxyOptions> & { readonly later?: boolean; readonly size?: number } = {},
) {
  const { later = false, size, ...proxyOptions } = options
  const { url: target, books } = await boundReceiver(t, {
    later,
    serve: ({ path }) => ({
      status: 200,
      fields: [['Content-Type', 'text/plain']],
      body: Buffer.from(size === undefined ? path : 'x'.repeat(size)),
    }),
  })
  const { origin, url, seen } = await between(t, target, meddling)
  const agent = await agentWithChannel(t, { bound: 'require', repeats: 0 })
  const { proxy, defects } = await startTestProxy(t, agent, origin, proxyOptions)
  return {
    ...{ books, seen, defects },
    ask: (headers?: Record<string, string>) => through(proxy.port ?? 0, url, headers),
  }
}

const otherBody: Meddling = {
  answer: (said, asked) =>
    asked.path === '/data' && said.status === 200
      ? { ...said, body: Buffer.from('y'.repeat(said.body.length)) }
      : said,
}

test('a short body that somebody changed is no answer: nothing of it is handed on', async (t) => {
  const { ask, defects } = await given(t, otherBody)
  const { status, body } = await ask()
  t.is(status, 502)
  t.is(JSON.parse(body).code, 'answer_lost')
  t.deepEqual(defects, [])
})

test('a long one breaks off before its end', async (t) => {
  const whole = await given(t, {}, { size: 100_000 })
  t.is((await whole.ask()).body.length, 100_000)
  const changed = await given(t, otherBody, { size: 100_000 })
  await t.throwsAsync(changed.ask(), { code: 'ECONNRESET' })
})

test('one with a receipt breaks off as well', async (t) => {
  const whole = await given(t, {}, { later: true })
  t.is((await whole.ask()).body, '/data')
  const changed = await given(t, otherBody, { later: true })
  await t.throwsAsync(changed.ask(), { code: 'ECONNRESET' })
})

const cookie: Meddling = {
  answer: (said) => withFields(said, { 'Set-Cookie': 'session=of-the-middle-man; Path=/' }),
}

test('a cookie that somebody sets on plain HTTP is dropped', async (t) => {
  const { ask } = await given(t, cookie)
  const { status, headers } = await ask()
  t.is(status, 200)
  t.is(headers['set-cookie'], undefined)
})

test('cookies: pass hands it on', async (t) => {
  const { ask } = await given(t, cookie, { cookies: 'pass' })
  t.deepEqual((await ask()).headers['set-cookie'], ['session=of-the-middle-man; Path=/'])
})

test('a cookie beside a free or an unbound answer is dropped too', async (t) => {
  const headers = { 'Set-Cookie': 'a=1' }
  const receiver = await lyingReceiver(t, ({ payment, request }) => {
    if (request.url === '/free') return { status: 200, headers }
    const said = payment === undefined ? asks() : serves()
    return { ...said, headers: { ...said.headers, ...headers } }
  })
  const agent = await agentWithChannel(t)
  const { proxy } = await startTestProxy(t, agent, new URL(receiver.url).origin)
  for (const path of ['/data', '/free']) {
    const { status, headers } = await through(proxy.port ?? 0, new URL(path, receiver.url).href)
    t.is(status, 200)
    t.is(headers['set-cookie'], undefined)
  }
})

test('a program’s member rdn is dropped, also before the first payment; what others have signed stays', async (t) => {
  const { ask, books } = await given(t)
  const { status } = await ask({
    'Signature-Input': 'rdn=("@method");keyid="forged", sig1=("@method");keyid="mine"',
    Signature: 'rdn=:AAAA:, sig1=:BBBB:',
  })
  t.is(status, 200)
  const data = books.asked.filter(({ path }) => path === '/data')
  const of = (index: number, name: string) =>
    data[index]?.fields.filter(([each]) => each.toLowerCase() === name).map(([, value]) => value)
  t.deepEqual(of(0, 'signature-input'), ['sig1=("@method");keyid="mine"'])
  t.deepEqual(of(0, 'signature'), ['sig1=:BBBB:'])
  const [paid = ''] = of(1, 'signature-input') ?? []
  t.regex(paid, /^sig1=\("@method"\);keyid="mine", rdn=\(/)
  t.false(paid.includes('forged'))
})

test('a Signature of an older kind is not ours to change', async (t) => {
  const receiver = await lyingReceiver(t, () => ({ status: 200 }))
  const agent = await agentWithChannel(t)
  const { proxy } = await startTestProxy(t, agent, new URL(receiver.url).origin)
  const old = 'keyId="a",algorithm="hmac-sha256",signature="b="'
  await through(proxy.port ?? 0, receiver.url, { Signature: old })
  t.is(receiver.received[0]?.request.headers.signature, old)
})

test('our own member of an answer stays between receiver and agent, a gateway’s goes on', async (t) => {
  const signed = (fields: readonly (readonly [string, string])[]): [string, string][] =>
    fields.map(([name, value]) => {
      if (name === 'Signature') return [name, `${value}, gw=:AAAA:`]
      return [name, name === 'Signature-Input' ? `${value}, gw=("@status")` : value]
    })
  const { ask } = await given(t, {
    answer: (said) => ({ ...said, fields: signed(said.fields) }),
  })
  const { status, headers } = await ask()
  t.is(status, 200)
  t.is(headers['signature-input'], 'gw=("@status")')
  t.is(headers.signature, 'gw=:AAAA:')
})
