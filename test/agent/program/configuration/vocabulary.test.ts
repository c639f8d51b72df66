// One vocabulary with receiver.yaml, and all that was written before is still read.
import { mkdir, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { inspect } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { loadAgentConfig } from '../../../../agent/program/configuration/config.ts'
import { pathsFromStart } from '../../../../agent/program/configuration/paths.ts'
import { temporaryFolder } from '../../../support/folder.ts'

const needed = `rpc: http://127.0.0.1:8545
contract: '0x74434527b8E6C8296506D61d0faF3D18c9e4649A'
`

async function given(t: ExecutionContext, text: string, key = 'key: key\n') {
  const folder = await temporaryFolder(t)
  const file = join(folder, 'agent.yaml')
  await writeFile(file, `${needed}${key}${text}`)
  const load = (environment: NodeJS.ProcessEnv = {}) => loadAgentConfig(file, environment)
  return { folder, file, load }
}

const everyPath = `password: a/password
state: state
control: { socket: control.sock }
tls: { authority: ca.pem }
page: { token: page-token }
proxy: { socket: proxy.sock, programs: { p: { token: program-token } } }
mqtt: { url: 'mqtt://h', password: mqtt-password, ca: mqtt-ca, cert: mqtt-cert, certKey: mqtt-key }
alerts: { sinks: [{ file: alerts.jsonl }] }
jobs:
  a:
    get: http://h/a
    every: 5m
    sinks:
      - file: out.jsonl
      - csv: out.csv
      - influx: { url: 'http://h', database: d, username: u, password: influx-password }
      - influx: { url: 'http://i', bucket: b, org: o, token: influx-token }
      - webhook: { urlFile: url, headersFile: headers }
`

test('relative paths are meant from the folder of the file, every one of them', async (t) => {
  const { folder, load, file } = await given(t, everyPath)
  const config = await load()
  const printed = inspect(config, { depth: null, breakLength: Number.POSITIVE_INFINITY })
  for (const name of [
    ...['key', 'a/password', 'state', 'control.sock', 'ca.pem', 'page-token', 'proxy.sock'],
    ...['program-token', 'mqtt-password', 'mqtt-ca', 'mqtt-cert', 'mqtt-key', 'alerts.jsonl'],
    ...['out.jsonl', 'out.csv', 'influx-password', 'influx-token', 'url', 'headers'],
  ]) {
    t.true(printed.includes(`'${join(folder, name)}'`), name)
  }
  t.deepEqual(pathsFromStart(config, file), [])
})

test('what is only where the program was started is found there, as before, and named by doctor', async (t) => {
  const { folder, load, file } = await given(t, 'state: package.json\n', 'key: README.md\n')
  // Both are in the checkout, where tests run.
  const config = await load()
  t.like(config, { key: 'README.md', state: 'package.json' })
  t.deepEqual(pathsFromStart(config, file), ['README.md', 'package.json'])
  await writeFile(join(folder, 'README.md'), '')
  t.like(await load(), { key: join(folder, 'README.md'), state: 'package.json' })
})

test('a file that will be made in a folder that is only there is made there, as before', async (t) => {
  const { folder, load } = await given(t, 'state: ./agent/new\n')
  t.like(await load(), { state: './agent/new' })
  await mkdir(join(folder, 'agent'))
  t.like(await load(), { state: join(folder, 'agent/new') })
})

test('a path in a variable is of who starts the program, and a whole one stays', async (t) => {
  const { load, folder } = await given(t, 'state: /var/lib/agent\n')
  t.like(await load({ URAIDEN_AGENT_KEY: 'my-key' }), { key: 'my-key', state: '/var/lib/agent' })
  t.is((await load()).key, join(folder, 'key'))
})

test('the file’s own folder may be named in any way', async (t) => {
  const { folder } = await given(t, '')
  await mkdir(join(folder, 'below'))
  const file = relative(process.cwd(), join(folder, 'below/../agent.yaml'))
  t.is((await loadAgentConfig(file, {})).key, join(folder, 'key'))
})

test('max… and most…, durations and seconds, ops.listen and metrics', async (t) => {
  const before = await given(
    t,
    `mostGasPrice: 50 gwei
deposit: { most: 2 TKN, mostInAll: 3 TKN }
timeout: 20
confirmTimeout: 300
retryInterval: 0.5
metrics: 127.0.0.1:9405
proxy: { timeout: 60, mostBody: 1000 }
jobs: { a: { get: http://h/a, every: 5m, mostPrice: 1 TKN, sinks: [{ stdout: true }] } }
`,
  )
  const now = await given(
    t,
    `maxGasPrice: 50 gwei
deposit: { max: 2 TKN, maxInAll: 3 TKN }
timeout: 20s
confirmTimeout: 5m
retryInterval: 500ms
ops: { listen: 127.0.0.1:9405 }
proxy: { timeout: 1m, maxBody: 1000 }
jobs: { a: { get: http://h/a, every: 5m, maxPrice: 1 TKN, sinks: [{ stdout: true }] } }
`,
  )
  const [old, { ops: _, ...same }] = [await before.load(), await now.load()]
  t.deepEqual({ ...same, key: '' }, { ...old, key: '' })
  t.deepEqual(old.metrics, { host: '127.0.0.1', port: 9405 })
  const both = await given(t, 'metrics: 127.0.0.1:1\nops: { listen: 127.0.0.1:1 }\n')
  await t.throwsAsync(both.load(), { message: /:4 metrics: .*the same as ops\.listen/ })
})
