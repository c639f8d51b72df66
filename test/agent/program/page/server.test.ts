// The agent's page over real HTTP: who gets what, and who does not.
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import type { CommandHandlers } from '../../../../agent/program/control/server.ts'
import { type PageOptions, startPage } from '../../../../agent/program/page/server.ts'
import { parseAddress, UraidenError } from '../../../../protocol/index.ts'
import { type RawRequest, rawRequest } from '../../../support/raw-http.ts'
import { until } from '../../../support/until.ts'

const token = 'a-token-long-enough'
const key = 'a-key-of-the-page'
const withKey = { authorization: `Bearer ${key}` }
const room = parseAddress('0x70997970C51812dc3A010C7d01b50e0d17dc79C8')
const stranger = parseAddress('0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC')

type State = ReturnType<PageOptions['state']>

async function givenPage(t: ExecutionContext, options: Partial<PageOptions> = {}) {
  const calls: (readonly [string, unknown])[] = []
  const command = (name: string) => async (input: unknown) => {
    calls.push([name, input])
  }
  const names = ['pause', 'resume', 'runJob', 'close', 'open', 'topUp', 'settle', 'reload']
  const handlers = Object.fromEntries(names.map((name) => [name, command(name)]))
  const shown = { paused: 0 }
  const done: string[] = []
  const defects: unknown[] = []
  const page = await startPage({
    port: 0,
    token: () => token,
    key,
    state: (about) => ({ ...about, ...shown }) as unknown as State,
    spending: () => ({ buyers: ['temperature'], hours: [], days: [] }),
    spendingCsv: () => 'hour,buyer\r\n',
    handlers: handlers as unknown as CommandHandlers,
    placeOf: async (receiver) => (receiver === room ? new URL('http://pi:5000') : undefined),
    onAction: (name) => done.push(name),
    onDefect: (error) => defects.push(error),
    ...options,
  })
  t.teardown(page.close)
  const host = `127.0.0.1:${page.port}`
  const get = (path: string, headers: RawRequest['headers'] = {}) =>
    rawRequest(page.port, { path, headers: { ...withKey, ...headers } })
  const post = (name: string, input: unknown, headers: RawRequest['headers'] = {}) =>
    rawRequest(page.port, {
      method: 'POST',
      path: `/do/${name}`,
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${token}`,
        origin: `http://${host}`,
        'sec-fetch-site': 'same-origin',
        ...headers,
      },
      body: typeof input === 'string' ? input : JSON.stringify(input),
    })
  return { page, host, calls, done, defects, shown, get, post }
}

const codeOf = (body: string): string => JSON.parse(body).error.code

test('it listens on 127.0.0.1 and on no other address of this machine', async (t) => {
  const { page } = await givenPage(t)
  t.is((await rawRequest(page.port)).status, 200)
  // 127.0.0.2 is this machine too: a server on all addresses would answer there.
  await t.throwsAsync(rawRequest(page.port, { address: '127.0.0.2' }), { code: 'ECONNREFUSED' })
})

test('a port that is taken is an error that says so', async (t) => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  await t.throwsAsync(givenPage(t, { port }), {
    code: 'address_in_use',
    message: `127.0.0.1:${port} cannot be listened on (EADDRINUSE).`,
  })
})

test('the page, its script and style: nothing inline, nothing from elsewhere, no frame', async (t) => {
  const { get } = await givenPage(t)
  const { status, headers, body } = await get('/')
  t.is(status, 200)
  const policy = String(headers['content-security-policy'])
  t.regex(policy, /^default-src 'none'; script-src 'self'; style-src 'self';/)
  t.regex(policy, /frame-ancestors 'none'/)
  t.notRegex(policy, /unsafe|https?:|\*/)
  t.is(headers['cache-control'], 'no-store')
  t.is(headers['x-content-type-options'], 'nosniff')
  t.is(headers['set-cookie'], undefined)
  t.notRegex(body, /<script(?![^>]* src=)|<style|\son\w+=|style=|https?:/i)
  for (const [path, type] of [
    [/\/web\/[^"]+\.js/, /^text\/javascript/],
    [/\/web\/[^"]+\.css/, /^text\/css/],
  ] as const) {
    const [name = ''] = path.exec(body) ?? []
    const asset = await get(name)
    t.is(asset.status, 200)
    t.regex(String(asset.headers['content-type']), type)
    t.regex(String(asset.headers['cache-control']), /immutable/)
    t.is((await get(name, { 'accept-encoding': 'gzip' })).headers['content-encoding'], 'gzip')
  }
  for (const path of ['/web/agent.js', '/web/../../config.ts', '/web/..%2fconfig.ts', '/admin']) {
    t.is((await get(path)).status, 404, path)
  }
})

test('what was spent is told as JSON and as a CSV file, and kept by nobody', async (t) => {
  const { get } = await givenPage(t)
  for (const [path, type, body] of [
    ['/spending', /^application\/json/, '{"buyers":["temperature"],"hours":[],"days":[]}'],
    ['/spending.csv', /^text\/csv/, 'hour,buyer\r\n'],
  ] as const) {
    const answer = await get(path)
    t.is(answer.status, 200)
    t.is(answer.body, body)
    t.regex(String(answer.headers['content-type']), type)
    t.is(answer.headers['cache-control'], 'no-store')
    t.regex(String(answer.headers['content-security-policy']), /default-src 'none'/)
  }
})

test('another name in Host gets nothing, not even the page', async (t) => {
  const { page, host, calls } = await givenPage(t)
  const asHost = (name: string, path: string, method = 'GET') =>
    rawRequest(page.port, { method, path, headers: { ...withKey, host: name } })
  for (const path of ['/', '/state', '/events', '/spending', '/spending.csv', '/web/x']) {
    const { status, body } = await asHost(`evil.example:${page.port}`, path)
    t.is(status, 421, path)
    t.is(codeOf(body), 'page_wrong_host')
  }
  t.is((await asHost('evil.example', '/do/pause', 'POST')).status, 421)
  t.is((await asHost(host, '/state')).status, 200)
  t.is((await asHost(`localhost:${page.port}`, '/state')).status, 200)
  t.deepEqual(calls, [])
})

test('a request without Host, or that is no HTTP, is refused and closed', async (t) => {
  const { page } = await givenPage(t)
  for (const sent of ['GET / HTTP/1.1\r\n\r\n', 'nonsense\r\n\r\n']) {
    const socket = connect(page.port, '127.0.0.1')
    socket.end(sent)
    let answer = ''
    for await (const chunk of socket) answer += chunk
    t.regex(answer, /^HTTP\/1\.1 400 /)
  }
})

test('what the agent does is not told to pages of other sites', async (t) => {
  const { get } = await givenPage(t)
  for (const path of ['/state', '/events', '/spending', '/spending.csv']) {
    for (const headers of [
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { origin: 'http://evil.example' },
      { origin: 'null' },
    ]) {
      const { status, body } = await get(path, headers)
      t.is(status, 403)
      t.is(codeOf(body), 'page_other_origin')
    }
  }
  const told = await get('/state', { 'sec-fetch-site': 'same-origin' })
  t.is(told.headers['access-control-allow-origin'], undefined)
  t.is(told.headers['cross-origin-resource-policy'], 'same-origin')
  t.like(JSON.parse(told.body), { actions: 'withToken' })
})

test('a user of this machine without the key learns nothing of what the agent does and has', async (t) => {
  const { page, shown } = await givenPage(t)
  for (const path of ['/state', '/events', '/spending', '/spending.csv']) {
    for (const [authorization, code] of [
      [undefined, 'page_key_missing'],
      ['', 'page_key_missing'],
      [`Basic ${key}`, 'page_key_missing'],
      [`Bearer ${key}x`, 'page_key_wrong'],
      [`Bearer ${key.slice(1)}`, 'page_key_wrong'],
      // Whoever may act has been given the page's address as well.
      [`Bearer ${token}`, 'page_key_wrong'],
    ] as const) {
      for (const method of ['GET', 'HEAD']) {
        const headers = { ...(authorization !== undefined && { authorization }) }
        const { status, body } = await rawRequest(page.port, { method, path, headers })
        t.is(status, 401)
        if (method === 'GET') t.is(codeOf(body), code)
        t.false(body.includes('paused'))
      }
    }
    for (const query of [`?key=${key}`, `?token=${key}`]) {
      t.is((await rawRequest(page.port, { path: `${path}${query}` })).status, 404)
    }
  }
  t.deepEqual(shown, { paused: 0 })
})

test('with the token: pause, resume, run, close together and alone; each by the daemon’s own command', async (t) => {
  const { post, calls, done } = await givenPage(t)
  t.is((await post('token', {})).status, 200)
  t.deepEqual(calls, [])
  const channel = `${room}/7`
  const asked = [
    ['pause', {}],
    ['pause', { job: 'temperature' }],
    ['resume', {}],
    ['runJob', { job: 'temperature' }],
    ['close', { channel, how: 'together' }],
    ['close', { channel, how: 'alone' }],
  ] as const
  for (const [name, input] of asked) t.is((await post(name, input)).status, 200, name)
  t.deepEqual(calls, [
    ['pause', {}],
    ['pause', { job: 'temperature' }],
    ['resume', {}],
    ['runJob', { job: 'temperature' }],
    ['close', { channel, api: 'http://pi:5000/' }],
    ['close', { channel }],
  ])
  t.is(done.length, 6)
})

test('no token, a wrong one, another site, a form: nothing is done', async (t) => {
  const { post, calls } = await givenPage(t)
  const refused = [
    [{ authorization: '' }, 401, 'page_token_missing'],
    [{ authorization: 'Bearer a-token-long-enougH' }, 401, 'page_token_wrong'],
    [{ 'sec-fetch-site': 'cross-site' }, 403, 'page_other_origin'],
    [{ 'sec-fetch-site': 'same-site' }, 403, 'page_other_origin'],
    [{ 'content-type': 'text/plain' }, 415, 'page_not_json'],
    [{ 'content-type': 'application/x-www-form-urlencoded' }, 415, 'page_not_json'],
  ] as const
  for (const [headers, status, code] of refused) {
    const { body, ...answer } = await post('pause', {}, headers)
    t.is(answer.status, status)
    t.is(codeOf(body), code)
    t.notRegex(body, /long-enough/)
  }
  t.deepEqual(calls, [])
})

test('without a configured token the page only shows things', async (t) => {
  const { post, get, calls } = await givenPage(t, { token: () => undefined })
  for (const name of ['pause', 'token', 'close']) {
    const { status, body } = await post(name, {})
    t.is(status, 403)
    t.is(codeOf(body), 'page_read_only')
  }
  t.like(JSON.parse((await get('/state')).body), { actions: 'never' })
  t.deepEqual(calls, [])
})

test('only these commands are there, and only with their own input', async (t) => {
  const { post, calls } = await givenPage(t)
  for (const name of ['open', 'topUp', 'settle', 'reload', 'buy', '__proto__', '']) {
    t.is((await post(name, {})).status, 404, name)
  }
  const wrong = [
    ['pause', '{'],
    ['pause', '[]'],
    ['pause', { job: 5 }],
    ['pause', { jobs: 'a' }],
    ['runJob', {}],
    ['close', { channel: `${room}/7` }],
    ['close', { channel: `${room}/7`, how: 'at once' }],
    ['close', { channel: `${room}`, how: 'alone' }],
    ['close', { channel: `${room}/7`, how: 'together', api: 'http://evil.example' }],
  ] as const
  for (const [name, input] of wrong) {
    const { status, body } = await post(name, input)
    t.is(status, 400, JSON.stringify(input))
    t.is(codeOf(body), 'control_malformed')
  }
  t.deepEqual(calls, [])
})

test('what is too long is not read: 4096 bytes are, 4097 are not', async (t) => {
  const { post, calls } = await givenPage(t)
  const input = (length: number) => '{}'.padEnd(length, ' ')
  t.is((await post('pause', input(4096))).status, 200)
  const { status, body } = await post('pause', input(4097))
  t.is(status, 413)
  t.is(codeOf(body), 'page_input_too_large')
  t.is(calls.length, 1)
})

test('a refusal of the daemon comes with its words; a defect without its own', async (t) => {
  const error = new UraidenError({ code: 'job_unknown', message: 'No job x.', hint: 'Look.' })
  const handlers = {
    runJob: () => Promise.reject(error),
    pause: () => Promise.reject(new Error('the secret stack')),
  } as unknown as CommandHandlers
  const { post, defects } = await givenPage(t, { handlers })
  const refused = await post('runJob', { job: 'x' })
  t.is(refused.status, 409)
  t.deepEqual(JSON.parse(refused.body), {
    error: { code: 'job_unknown', message: 'No job x.', hint: 'Look.' },
  })
  const broken = await post('pause', {})
  t.is(broken.status, 500)
  t.is(codeOf(broken.body), 'internal')
  t.notRegex(broken.body, /stack/)
  t.is(defects.length, 1)
})

test('a channel of a receiver whose place is not known is closed alone only', async (t) => {
  const { post, calls } = await givenPage(t)
  const { status, body } = await post('close', { channel: `${stranger}/7`, how: 'together' })
  t.is(status, 409)
  t.is(codeOf(body), 'receiver_place_unknown')
  t.deepEqual(calls, [])
})

test('who listens is told of a change, once, and of nothing while nothing changes', async (t) => {
  const { page, shown } = await givenPage(t)
  const events: unknown[] = []
  const gone = new AbortController()
  const answer = await fetch(`http://127.0.0.1:${page.port}/events`, {
    signal: gone.signal,
    headers: withKey,
  })
  t.regex(answer.headers.get('content-type') ?? '', /^text\/event-stream/)
  const reading = (async () => {
    let rest = ''
    const reader = answer.body?.pipeThrough(new TextDecoderStream()) ?? []
    for await (const text of reader) {
      const parts = (rest + text).split('\n\n')
      rest = parts.pop() ?? ''
      events.push(...parts.map((part) => JSON.parse(part.replace(/^data: /, '')).paused))
    }
  })().catch(() => undefined)
  await until(() => events.length === 1)
  shown.paused = 1
  await until(() => events.length === 2)
  shown.paused = 2
  await until(() => events.length === 3)
  t.deepEqual(events, [0, 1, 2])
  gone.abort()
  await reading
})

test('sixteen may listen, the seventeenth is asked to wait; stopping ends them', async (t) => {
  const { page, get } = await givenPage(t)
  const listen = () => fetch(`http://127.0.0.1:${page.port}/events`, { headers: withKey })
  const streams = await Promise.all(Array.from({ length: 16 }, listen))
  t.true(streams.every(({ status }) => status === 200))
  const { status, body } = await get('/events')
  t.is(status, 503)
  t.is(codeOf(body), 'page_too_many_streams')
  await streams[0]?.body?.cancel()
  await until(async () => {
    const next = await listen()
    if (next.status === 200) return true
    await next.body?.cancel()
    return false
  })
  await page.close()
  await t.throwsAsync(get('/'), { code: 'ECONNREFUSED' })
})

test('HEAD is answered without a body, other methods not at all', async (t) => {
  const { page, host } = await givenPage(t)
  const ask = (method: string, path = '/') =>
    rawRequest(page.port, { method, path, headers: { ...withKey, host } })
  t.like(await ask('HEAD'), { status: 200, body: '' })
  t.like(await ask('HEAD', '/events'), { status: 200, body: '' })
  for (const method of ['PUT', 'DELETE', 'OPTIONS', 'POST']) {
    const { status, headers } = await ask(method)
    t.is(status, 405, method)
    t.is(headers.allow, 'GET, HEAD')
  }
})
