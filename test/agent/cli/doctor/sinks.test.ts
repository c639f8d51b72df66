import { once } from 'node:events'
import { readdir, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import test from 'ava'
import { lookAtBroker, lookAtSink } from '../../../../agent/cli/doctor/sinks.ts'
import { type SinkConfig, sinkSchema } from '../../../../agent/jobs/sinks/schema.ts'
import { startTestBroker } from '../../../support/broker.ts'
import { temporaryFolder } from '../../../support/folder.ts'

const sink = (given: object): SinkConfig => sinkSchema.parse(given)

async function listener() {
  const server = createServer((socket) => socket.resume()).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}/hook/secret`, close: () => void server.close() }
}

test('a file of a sink is tried, and left as it was', async (t) => {
  const folder = await temporaryFolder(t)
  t.like(await lookAtSink(sink({ file: join(folder, 'out.jsonl') })), { verdict: 'ok' })
  t.deepEqual(await readdir(folder), [])
  t.like(await lookAtSink(sink({ csv: join(folder, 'out.csv') })), { verdict: 'ok' })
  t.is((await lookAtSink(sink({ csv: join(folder, 'no/out.csv') })))?.verdict, 'failure')
  const nowhere = await lookAtSink(sink({ file: join(folder, 'no/out.jsonl') }))
  t.is(nowhere?.verdict, 'failure')
  t.regex(nowhere?.says ?? '', /ENOENT.*Make the folder .*\/no, .*ReadWritePaths=/)
})

test('a webhook is connected to, and gets no request', async (t) => {
  const folder = await temporaryFolder(t)
  const hook = await listener()
  const found = await lookAtSink(sink({ webhook: hook.url }))
  t.is(found?.verdict, 'ok', found?.says)
  t.false(found?.says.includes('secret'))
  const influx = sink({ influx: { url: new URL(hook.url).origin, database: 'house' } })
  t.regex((await lookAtSink(influx))?.says ?? '', /^InfluxDB .* is there$/)
  await writeFile(join(folder, 'url'), `${hook.url}\n`, { mode: 0o600 })
  const named = sink({ webhook: { urlFile: join(folder, 'url') } })
  t.is((await lookAtSink(named))?.verdict, 'ok')
  hook.close()
  const gone = await lookAtSink(named)
  t.is(gone?.verdict, 'failure')
  t.regex(gone?.says ?? '', /cannot be reached \(.*ECONNREFUSED.*\)/)
})

test('a program of a sink has to be there', async (t) => {
  const folder = await temporaryFolder(t)
  await writeFile(join(folder, 'run'), '', { mode: 0o755 })
  t.is((await lookAtSink(sink({ command: join(folder, 'run') })))?.verdict, 'ok')
  t.is((await lookAtSink(sink({ command: join(folder, 'gone') })))?.verdict, 'failure')
  t.is(await lookAtSink(sink({ command: 'jq' })), undefined)
  t.is(await lookAtSink(sink({ stdout: true })), undefined)
})

test('the broker is logged in to, beside the daemon; one that refuses says so', async (t) => {
  const broker = await startTestBroker(t)
  const connection = {
    ...{ url: broker.url, clientId: 'uraiden-1', statusTopic: 's' },
    ...{ birthTopic: 'b', reconnectInterval: 1000 },
  }
  const device = {} as never
  const found = await lookAtBroker({ connection, device })
  t.is(found.verdict, 'ok', found.says)
  const away = await lookAtBroker({
    connection: { ...connection, url: 'mqtt://127.0.0.1:9' },
    device,
  })
  t.is(away.verdict, 'failure')
  t.regex(away.says, /does not let us in \(.+\)\. Check mqtt\.url/)
})
