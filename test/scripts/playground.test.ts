// ./scripts/playground: everything runs, and nothing of it is left, whenever and however it ends.
import { once } from 'node:events'
import { globSync, readdirSync, readFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import type { PlaygroundFacts } from '../../scripts/lib/playground/start.ts'
import { freePort } from '../lab/processes/free-port.ts'
import { temporaryFolder } from '../support/folder.ts'
import { startScript } from '../support/script.ts'
import { until } from '../support/until.ts'

/** All that has its home there: processes inherit it. */
function processesOf(home: string): readonly string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(`HOME=${home}`)
      } catch {
        return false
      }
    })
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
  } catch {
    return ''
  }
}

async function given(t: ExecutionContext, ...args: readonly string[]) {
  const home = await temporaryFolder(t)
  const script = startScript(t, 'playground', ['--json', ...args], {
    folder: home,
    environment: { TMPDIR: home },
  })
  const left = () => processesOf(home)
  const gone = async () => {
    await until(
      () => left().length === 0,
      () => left().map(commandOf).join('\n'),
    )
    t.pass()
  }
  const folders = () => globSync(`${home}/uraiden-playground-*`)
  const facts = async (): Promise<PlaygroundFacts> => JSON.parse(await script.line())
  return { home, script, left, gone, folders, facts }
}

/** As curl -x does. */
async function through(proxy: string, url: string) {
  const { hostname, port } = new URL(proxy)
  const asked = request({ hostname, port, path: url, agent: new Agent() }).end()
  const [response] = await once(asked, 'response')
  let body = ''
  for await (const chunk of response.setEncoding('utf8')) body += chunk
  return { status: response.statusCode, body }
}

test.serial('shops sell, the agent buys, its page and the dashboards are there', async (t) => {
  const { script, gone, folders, facts } = await given(t)
  const { sensors, wiki, agent, login, chain } = await facts()
  const bought = await through(agent.proxy, `${sensors.url}/sensors/load`)
  t.is(bought.status, 200, bought.body)
  t.is(typeof JSON.parse(bought.body).load, 'number')
  t.is((await fetch(`${wiki.url}/wiki/Payment_channel`)).status, 402)
  t.is((await fetch(agent.page)).status, 200)
  const authorization = `Basic ${btoa(`${login.user}:${login.password}`)}`
  for (const { dashboard } of [sensors, wiki]) {
    t.is((await fetch(dashboard)).status, 200)
    const api = new URL('/api/1/admin/stats', dashboard)
    t.is((await fetch(api, { headers: { authorization } })).status, 200)
  }
  t.is(new URL(chain.rpcUrl).hostname, '127.0.0.1')
  const lines = []
  // A job's purchase, and that of the proxy.
  while (new Set(lines.map(({ job }) => job)).size < 2) lines.push(JSON.parse(await script.line()))
  t.like(
    lines.find(({ job }) => job === undefined),
    { status: 200, cost: `${10n ** 15n}`, url: `${sensors.url}/sensors/load` },
  )
  script.kill('SIGTERM')
  const { code, stderr } = await script.ended
  t.deepEqual([code, stderr], [0, ''])
  await gone()
  t.deepEqual(folders(), [])
})

const moments: readonly (readonly [string, NodeJS.Signals])[] = [
  ['uraiden-playground-*', 'SIGTERM'],
  ['uraiden-playground-*/sensors/key', 'SIGKILL'],
  ['uraiden-playground-*/wiki/state', 'SIGHUP'],
  ['uraiden-playground-*/agent/agent.yaml', 'SIGTERM'],
  ['uraiden-playground-*/agent/agent.yaml', 'SIGKILL'],
]

for (const [file, signal] of moments) {
  test.serial(`${signal} as soon as ${file} is there: no process is left`, async (t) => {
    const { home, script, gone, folders } = await given(t)
    await until(() => globSync(`${home}/${file}`).length > 0, script.stderr)
    script.kill(signal)
    const { code, stderr } = await script.ended
    await gone()
    if (signal === 'SIGKILL') return
    t.deepEqual([code, stderr], [0, ''])
    t.deepEqual(folders(), [])
  })
}

for (const signal of ['SIGINT', 'SIGKILL'] as const) {
  test.serial(`${signal} while everything runs: no process is left`, async (t) => {
    const { script, gone, facts, left } = await given(t)
    await facts()
    t.true(left().length > 4)
    script.kill(signal)
    await script.ended
    await gone()
  })
}

for (const [program, says] of [
  ['agent/cli/main.ts', /^playground: The agent has ended by itself\.\n/],
  ['wiki/receiver.yaml', /^playground: The receiver of wiki has ended by itself\.\n/],
] as const) {
  test.serial(`${program} dies: the rest ends with it`, async (t) => {
    const { script, gone, facts, left, folders } = await given(t)
    await facts()
    const pid = left().find((each) => commandOf(each).includes(program))
    process.kill(Number(pid), 'SIGKILL')
    const { code, stderr } = await script.ended
    t.is(code, 1)
    t.regex(stderr, says)
    await gone()
    t.deepEqual(folders(), [])
  })
}

for (const [place, index] of [
  ['chain', 0],
  ['a shop', 3],
  ['the agent’s page', 5],
] as const) {
  test.serial(`the port of ${place} is taken: it says so, and nothing is left`, async (t) => {
    const first = await freePort()
    const server = createServer().listen(first + index, '127.0.0.1')
    t.teardown(() => server.close())
    await once(server, 'listening')
    t.is((server.address() as AddressInfo).port, first + index)
    const { script, gone, folders } = await given(t, '--port', `${first}`)
    const { code, stdout, stderr } = await script.ended
    t.not(code, 0)
    t.is(stdout, '')
    t.regex(stderr, /playground: /)
    t.regex(stderr, /in use|Cannot listen|cannot be listened on/)
    await gone()
    t.deepEqual(folders(), [])
  })
}
