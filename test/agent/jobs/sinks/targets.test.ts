// Webhook, command and standard output, each against the real thing.
import { readFile, writeFile } from 'node:fs/promises'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import test, { type ExecutionContext } from 'ava'
import { createCommandSink } from '../../../../agent/jobs/sinks/command.ts'
import { createStreamSink, sinkId, sinkName } from '../../../../agent/jobs/sinks/create.ts'
import type { SinkConfig } from '../../../../agent/jobs/sinks/schema.ts'
import { createWebhookSink } from '../../../../agent/jobs/sinks/webhook.ts'
import { temporaryFolder } from '../../../support/folder.ts'
import { entry } from '../../../support/outbox.ts'
import { until } from '../../../support/until.ts'

interface Hooked {
  readonly url: string | undefined
  readonly method: string | undefined
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

async function startHook(t: ExecutionContext, statuses: readonly number[]) {
  const requests: Hooked[] = []
  const server = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    const status = statuses[requests.length] ?? 204
    requests.push({ url: request.url, method: request.method, headers: request.headers, body })
    if (status > 0) response.writeHead(status).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`
  const sink = createWebhookSink({
    url,
    method: 'POST',
    headers: { 'X-Mine': '1' },
    timeout: 10_000,
  })
  return { requests, url, sink }
}

test('a webhook gets the body with its type, and the id as idempotency key', async (t) => {
  const { sink, requests } = await startHook(t, [])
  t.is(await sink.deliver([entry(1), entry(2)]), 2)
  t.like(requests[1], { method: 'POST', body: '{"number":2}' })
  t.like(requests[1]?.headers, {
    'content-type': 'application/json',
    'idempotency-key': 'run-2',
    'x-uraiden-job': 'temperature',
    'x-uraiden-time': '2026-11-21T00:00:02.000Z',
    'x-mine': '1',
  })
})

for (const { status, code } of [
  { status: 500, code: 'webhook_failed' },
  { status: 302, code: 'webhook_failed' },
  { status: 401, code: 'webhook_failed' },
  { status: 404, code: 'webhook_failed' },
  { status: 429, code: 'webhook_failed' },
  { status: 400, code: 'entry_refused' },
  { status: 413, code: 'entry_refused' },
  { status: 422, code: 'entry_refused' },
]) {
  test(`a webhook that answers ${status}: ${code}, asked once`, async (t) => {
    const { sink, requests } = await startHook(t, [status])
    const message = new RegExp(`answers with HTTP status ${status}`)
    await t.throwsAsync(sink.deliver([entry(1)]), { code, message })
    t.is(requests.length, 1)
  })
}

test('what arrived before a webhook failed is told', async (t) => {
  const { sink } = await startHook(t, [200, 200, 500])
  t.is(await sink.deliver([entry(1), entry(2), entry(3)]), 2)
})

test('a webhook that nobody answers ends when the sink stops', async (t) => {
  const { sink, requests } = await startHook(t, [0])
  const delivery = sink.deliver([entry(1)])
  await t.throwsAsync(async () => {
    await until(() => requests.length > 0)
    await sink.stop()
    await delivery
  })
})

test('URL and headers of a webhook may be in files; a new URL there needs no restart', async (t) => {
  const { url, requests } = await startHook(t, [])
  const folder = await temporaryFolder(t)
  const [urlFile, headersFile] = [join(folder, 'url'), join(folder, 'headers')]
  const sink = createWebhookSink({
    urlFile,
    headersFile,
    method: 'POST',
    headers: {},
    timeout: 10_000,
  })
  await t.throwsAsync(sink.deliver([entry(1)]), { code: 'key_file_missing' })
  await writeFile(urlFile, `${url}/one\n`, { mode: 0o600 })
  await writeFile(headersFile, 'X-Mine: 2\n\nAuthorization: Bearer hush\n', { mode: 0o600 })
  t.is(await sink.deliver([entry(1)]), 1)
  await writeFile(urlFile, `${url}/two`, { mode: 0o600 })
  t.is(await sink.deliver([entry(2)]), 1)
  t.deepEqual(
    requests.map((each) => each.url),
    ['/hook/one', '/hook/two'],
  )
  t.like(requests[0]?.headers, { 'x-mine': '2', authorization: 'Bearer hush' })
})

for (const [what, url, headers] of [
  ['no URL', 'hush', ''],
  ['another scheme', 'ftp://hush/', ''],
  ['no header', 'http://127.0.0.1:9/', 'hush'],
  ['a header of two lines', 'http://127.0.0.1:9/', 'a: hush\u0001'],
] as const) {
  test(`a webhook’s file with ${what} is named, and what is in it is not`, async (t) => {
    const folder = await temporaryFolder(t)
    const [urlFile, headersFile] = [join(folder, 'url'), join(folder, 'headers')]
    await writeFile(urlFile, url, { mode: 0o600 })
    await writeFile(headersFile, headers, { mode: 0o600 })
    const sink = createWebhookSink({
      urlFile,
      headersFile,
      method: 'POST',
      headers: {},
      timeout: 10_000,
    })
    const error = await t.throwsAsync(sink.deliver([entry(1)]), { code: 'webhook_failed' })
    t.true(error.message.includes(folder) && !error.message.includes('hush'), error.message)
  })
}

test('a webhook’s file that others can read is not used', async (t) => {
  const urlFile = join(await temporaryFolder(t), 'url')
  await writeFile(urlFile, 'http://127.0.0.1:9/', { mode: 0o644 })
  const sink = createWebhookSink({ urlFile, method: 'POST', headers: {}, timeout: 10_000 })
  await t.throwsAsync(sink.deliver([entry(1)]), { code: 'key_file_readable_by_others' })
})

test('a target’s name has nothing of a webhook’s path or a command’s arguments', (t) => {
  const names = [
    {
      webhook: {
        url: 'https://me:hush@hooks.example.com/services/hush?hush',
        method: 'POST',
        headers: {},
        timeout: 1,
      },
    },
    { command: ['curl', '-H', 'X-Key: hush'] },
  ].map((config) => sinkName(sinkId({ queue, ...config } as SinkConfig)))
  t.regex(names[0] ?? '', /^webhook:https:\/\/hooks\.example\.com#[0-9a-f]{8}$/)
  t.regex(names[1] ?? '', /^command:curl#[0-9a-f]{8}$/)
})

const queue = { entries: 1, size: 1, whenFull: 'pause' } as const

const node = (script: string): [string, ...string[]] => [process.execPath, '-e', script]

test('a command gets the body on standard input, and no secret of the agent', async (t) => {
  const file = join(await temporaryFolder(t), 'out')
  process.env.URAIDEN_AGENT_KEY_PASSWORD = 'secret'
  t.teardown(() => {
    delete process.env.URAIDEN_AGENT_KEY_PASSWORD
  })
  const script = `const fs = require('node:fs'); fs.writeFileSync(process.argv[1], JSON.stringify([fs.readFileSync(0, 'utf8'), process.env]))`
  const sink = createCommandSink({ command: [...node(script), file], timeout: 60_000 })
  t.is(await sink.deliver([entry(7, 'a $(touch nothing) body')]), 1)
  const [body, environment] = JSON.parse(await readFile(file, 'utf8'))
  t.is(body, 'a $(touch nothing) body')
  t.like(environment, { URAIDEN_ID: 'run-7', URAIDEN_JOB: 'temperature' })
  t.false('URAIDEN_AGENT_KEY_PASSWORD' in environment)
})

test('a command that does not read its input has taken it when it ends well', async (t) => {
  const sink = createCommandSink({ command: node('process.exit(0)'), timeout: 60_000 })
  t.is(await sink.deliver([entry(1, 'x'.repeat(1_000_000))]), 1)
})

test('a command that fails says why', async (t) => {
  const script = `console.error('no space'); process.exit(3)`
  const sink = createCommandSink({ command: node(script), timeout: 60_000 })
  await t.throwsAsync(sink.deliver([entry(1)]), {
    code: 'command_failed',
    message: /ends with 3: no space/,
  })
})

test('a command that does not exist is named', async (t) => {
  const sink = createCommandSink({ command: ['/no/such/program'], timeout: 60_000 })
  await t.throwsAsync(sink.deliver([entry(1)]), {
    code: 'command_failed',
    message: /\/no\/such\/program cannot be started/,
  })
})

test('a command that hangs is killed, with what it has started', async (t) => {
  const sink = createCommandSink({ command: ['/bin/sh', '-c', 'sleep 1000 & wait'], timeout: 50 })
  await t.throwsAsync(sink.deliver([entry(1)]), { message: /was ended by SIGKILL/ })
})

test.serial('a command leaves no pipe open, though what it has started keeps it', async (t) => {
  const pipes = () => process.getActiveResourcesInfo().filter((kind) => kind === 'PipeWrap').length
  const before = pipes()
  const command: [string, ...string[]] = ['/bin/sh', '-c', 'setsid sleep 20 & exit 0']
  t.is(await createCommandSink({ command, timeout: 60_000 }).deliver([entry(1)]), 1)
  t.is(await until(() => (pipes() <= before ? 'closed' : undefined)), 'closed')
})

test('standard output gets one line for each entry', async (t) => {
  const stream = new PassThrough()
  const sink = createStreamSink(stream)
  t.is(await sink.deliver([entry(1), entry(2, 'warm')]), 2)
  t.is(`${stream.read()}`, '{"number":1}\nwarm\n')
})

test('standard output that nobody reads any more is told', async (t) => {
  const stream = new PassThrough()
  const sink = createStreamSink(stream)
  stream.destroy()
  await t.throwsAsync(sink.deliver([entry(1)]), { code: 'output_closed' })
})
