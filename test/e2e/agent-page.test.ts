// The daemon with its page, as a process, over HTTP.
import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import type { PageSpending, PageState } from '../../agent/program/page/state.ts'
import { daemonFolder, startDaemonProcess } from '../support/daemon.ts'
import { startFaultyRpc } from '../support/faulty-rpc.ts'
import { rawRequest } from '../support/raw-http.ts'
import { startSystem } from '../support/system.ts'
import { until } from '../support/until.ts'

const token = 'a-token-long-enough'

const job = (sinkFile: string) => `jobs:
  temperature:
    get: room/reading
    every: '0 0 1 1 *'
    budget: { total: 100 units }
    sinks: [ { file: ${sinkFile} } ]
`

type Daemon = Awaited<ReturnType<typeof startDaemonProcess>>

async function portOf({ status, log }: Daemon): Promise<number> {
  return until(async () => (await status())?.page?.port, log)
}

/** As its owner's browser asks: the key is what `uraiden-agent status` prints. */
async function stateOf(daemon: Daemon): Promise<PageState> {
  return JSON.parse(await lookAt(daemon, '/state'))
}

async function lookAt({ status }: Daemon, path: string): Promise<string> {
  const { port = 0, key = '' } = (await status())?.page ?? {}
  const headers = { authorization: `Bearer ${key}` }
  return (await rawRequest(port, { path, headers })).body
}

function doAt(port: number, name: string, input: object, given = token) {
  return rawRequest(port, {
    method: 'POST',
    path: `/do/${name}`,
    headers: { 'content-type': 'application/json', authorization: `Bearer ${given}` },
    body: JSON.stringify(input),
  })
}

test('the page tells what the daemon has done, and does what the token’s owner wants', async (t) => {
  const system = await startSystem(t)
  const { folder, config, cli } = await daemonFolder(system)
  await writeFile(join(folder, 'page-token'), `${token}\n`, { mode: 0o600 })
  const rest = `budget: { total: 1000 units }\n${job(join(folder, 'out.jsonl'))}`
  await config(`page: { listen: '127.0.0.1:0', token: page-token }\n${rest}`)
  const daemon = await startDaemonProcess(t, folder)
  const port = await portOf(daemon)
  const { stdout } = await cli('status')
  const [, shown = ''] =
    new RegExp(`page    http://127.0.0.1:${port}/#key=([0-9a-f]{32})\n`).exec(stdout) ?? []
  const keyFile = join(folder, 'state', 'page-key')
  t.is((await readFile(keyFile, 'utf8')).trim(), shown)
  t.is((await stat(keyFile)).mode & 0o777, 0o600)
  const stranger = await rawRequest(port, { path: '/state' })
  t.deepEqual([stranger.status, JSON.parse(stranger.body).error.code], [401, 'page_key_missing'])
  await until(async () => ((await stateOf(daemon)).jobs.length === 1 ? true : undefined))
  t.like(await stateOf(daemon), {
    actions: 'withToken',
    paused: false,
    channels: [],
    purchases: [],
  })

  t.is((await doAt(port, 'runJob', { job: 'temperature' }, 'not-the-right-token')).status, 401)
  t.deepEqual((await stateOf(daemon)).purchases, [])
  const ran = await doAt(port, 'runJob', { job: 'temperature' })
  t.is(ran.status, 200, ran.body)
  const state = await stateOf(daemon)
  t.like(state.purchases[0], {
    cost: '5',
    status: 200,
    receiverName: 'room',
    buyer: 'job temperature',
  })
  t.like(state.jobs[0], { name: 'temperature', last: { cost: '5', problem: null } })
  // Five units a year, and a deposit of fifty.
  t.is(state.transactions, 'less than one transaction a year')
  t.true((await cli('doctor')).stdout.includes(` fees       ${state.transactions}\n`))
  t.like(state.channels[0], { deposit: '50', spent: '5', state: 'open' })
  t.like(state.jobs[0], { schedule: '0 0 1 1 *', today: '5' })
  const spending: PageSpending = JSON.parse(await lookAt(daemon, '/spending'))
  t.deepEqual(spending.buyers, ['temperature'])
  for (const sums of [spending.hours, spending.days]) {
    t.like(sums.at(-1), { spent: [state.budgets[0]?.spent], purchases: 1, failures: 0 })
  }
  const file = await lookAt(daemon, '/spending.csv')
  t.regex(
    file,
    /^hour,buyer,receiver,spent TKN,purchases,failures\r\n\S+Z,temperature,room,\S+,1,0\r\n$/,
  )
  t.deepEqual(
    state.budgets.map(({ owner, window, cap }) => [owner, window, cap]),
    [
      ['all', 'total', '1000'],
      ['job', 'total', '100'],
    ],
  )
  const held = await until(async () => {
    const { holdings } = await stateOf(daemon)
    return holdings.tokens === '9950' ? holdings : undefined
  })
  t.is(held.problem, null)
  t.true(BigInt(held.ether ?? 0) > 0n)

  t.is((await doAt(port, 'pause', {})).status, 200)
  t.true((await daemon.status())?.paused)
  t.true((await stateOf(daemon)).paused)
  t.is((await doAt(port, 'resume', {})).status, 200)
  const unknown = await doAt(port, 'runJob', { job: 'nothing' })
  t.is(unknown.status, 409)
  t.regex(unknown.body, /There is no job nothing/)

  const channel = state.channels[0]?.name
  const closed = await doAt(port, 'close', { channel, how: 'together' })
  t.is(closed.status, 200, closed.body)
  t.deepEqual((await stateOf(daemon)).channels, [])
  t.is(await system.tokensOf(system.receiverAccount.address), 5n)

  // Without the token in the configuration: seen, and not to be touched.
  await config(`page: { listen: '127.0.0.1:0' }\n${rest}`)
  t.is((await cli('reload')).code, 0)
  t.is(await portOf(daemon), port)
  t.is((await doAt(port, 'pause', {})).status, 403)
  t.is((await stateOf(daemon)).actions, 'never')

  // A token's file that is not there changes nothing.
  await config(`page: { listen: '127.0.0.1:0', token: missing }\n${rest}`)
  t.is((await cli('reload')).code, 6)
  t.is((await stateOf(daemon)).actions, 'never')
  t.regex((await stateOf(daemon)).refused ?? '', /missing/)

  await config(rest)
  t.is((await cli('reload')).code, 0)
  t.is((await daemon.status())?.page, undefined)
  await t.throwsAsync(rawRequest(port, { path: '/state' }), { code: 'ECONNREFUSED' })
})

test('while the chain is away at the first start, the page is there and says so', async (t) => {
  const system = await startSystem(t)
  let away = true
  const node = await startFaultyRpc(t, system.chain.rpcUrl, () =>
    away ? 'loseRequest' : undefined,
  )
  const { folder } = await daemonFolder(system, "page: { listen: '127.0.0.1:0' }\n", node.url)
  const daemon = await startDaemonProcess(t, folder)
  await portOf(daemon)
  const waiting = await until(async () => {
    const state = await stateOf(daemon)
    return state.waiting?.code === 'chain_unavailable' ? state : undefined
  })
  t.is(waiting.token, null)
  away = false
  await until(async () => ((await stateOf(daemon)).waiting === null ? true : undefined))
  t.deepEqual((await stateOf(daemon)).token, { symbol: 'TKN', decimals: 18 })
})
