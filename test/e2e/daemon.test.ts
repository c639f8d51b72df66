import { execFile, execFileSync, spawn } from 'node:child_process'
import {
  appendFile,
  copyFile,
  mkdir,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import test from 'ava'
import { daemonFolder, startDaemonProcess } from '../support/daemon.ts'
import { cleanEnvironment } from '../support/environment.ts'
import { startFaultyRpc } from '../support/faulty-rpc.ts'
import { temporaryFolder } from '../support/folder.ts'
import { curl } from '../support/proxy.ts'
import { startSystem } from '../support/system.ts'
import { needing, tools } from '../support/tools.ts'
import { until } from '../support/until.ts'

const withCurl = needing(test, tools.curl)

/** In the paths of modules. */
const others = [
  ...['/zod/', '/yaml/', '/commander/', '/json-p3/', '/keys/keystore.ts'],
  // For a person only.
  '/daemon/terminal.ts',
  // Where no receiver is paid so.
  ...['/agent/x402/', '/protocol/x402/'],
]

const proxy = "proxy: { listen: '127.0.0.1:0' }\n"

withCurl('the daemon pays for curl, and every command works beside it', async (t) => {
  const system = await startSystem(t)
  const { folder, cli, json } = await daemonFolder(
    system,
    `budget: { total: 1000 units }\n${proxy}`,
  )
  const daemon = await startDaemonProcess(t, folder)
  t.is((await stat(join(folder, 'state/control.sock'))).mode & 0o777, 0o600)
  const url = await daemon.proxyUrl()
  t.is((await curl('-x', url, 'http://room/reading')).headers.get('uraiden-balance'), '5')

  const got = await json(t, 'get', 'room/reading')
  t.like(got, { status: 200, payment: { cost: '5', balance: '10' }, body: '{"celsius":21.4}' })
  t.is((await cli('get', 'room/reading', '--max-price', '4 units')).code, 3)
  t.like(await json(t, 'get', 'room/reading', '--dry-run'), { price: '5', opensChannel: false })
  const [channel] = await json(t, 'channels')
  t.like(channel, { balance: '10', deposit: '50', state: 'open' })
  t.like(await json(t, 'budget'), { limits: [{ scope: 'all', window: 'total', cap: '1000' }] })
  await json(t, 'topup', 'room', '7 units')
  t.is((await json(t, 'channels'))[0].deposit, '57')
  t.is((await json(t, 'history')).length, 2)
  t.is((await json(t, 'history', '--chain')).length, 2)
  const person = await cli('status')
  t.regex(person.stdout, /^running since .*\nbought 2, refused 1, failed 0\nproxy +port \d+/)
  t.regex(person.stdout, /card +careful: .*\n\nCHANNEL +SPENT .*\nroom\/\d+ /)
  t.regex(person.stdout, /BUDGET +WINDOW +USED .*\nall +total +\S+ +5 % /)
  await json(t, 'close', 'room')
  t.is(await system.tokensOf(system.receiverAccount.address), 10n)
  t.deepEqual(await json(t, 'channels'), [])

  await json(t, 'pause')
  const paused = await curl('-x', url, 'http://room/reading')
  t.is(paused.status, 503)
  t.is(JSON.parse(paused.body).code, 'agent_paused')
  await json(t, 'resume')
  t.is((await curl('-x', url, 'http://room/reading')).status, 200)
  t.regex((await cli('run-job', 'nothing')).stderr, /There is no job nothing/)

  await json(t, 'pause')
  daemon.child.kill('SIGTERM')
  t.is(await daemon.ended, 0, daemon.log())
  t.regex((await cli('status')).stderr, /No daemon answers .*\n.*\(daemon_not_running, exit 7\)/)
  // Its books are in order: without a daemon the balance is certain at once.
  t.like((await json(t, 'channels'))[0], { balance: '5', certain: true, bound: '5' })
  const next = await startDaemonProcess(t, folder)
  t.is((await curl('-x', await next.proxyUrl(), 'http://room/reading')).status, 503)
})

test('a start that hangs ends when it is told to', async (t) => {
  const system = await startSystem(t)
  const node = await startFaultyRpc(t, system.chain.rpcUrl, () => 'hang')
  const { folder } = await daemonFolder(system, proxy, node.url)
  const daemon = await startDaemonProcess(t, folder)
  daemon.child.kill('SIGHUP')
  daemon.child.kill('SIGTERM')
  t.is(await daemon.ended, 0, daemon.log())
})

withCurl(
  'SIGTERM while a request waits for the receiver: ended, and the books are written',
  async (t) => {
    let release = (): void => undefined
    const released = new Promise<string>((resolve) => {
      release = () => resolve('late')
    })
    const system = await startSystem(t, [
      { path: '/reading', price: 5n, handler: () => 'here' },
      { path: '/never', price: 5n, handler: () => released },
    ])
    const { folder, json } = await daemonFolder(system, proxy)
    const daemon = await startDaemonProcess(t, folder)
    const url = await daemon.proxyUrl()
    t.is((await curl('-x', url, 'http://room/reading')).status, 200)
    const waiting = curl('-x', url, 'http://room/never').catch((error) => error)
    await until(async () => {
      const found = await daemon.status()
      return found?.channels.some(({ balance }) => balance === 10n) || undefined
    })
    const began = performance.now()
    daemon.child.kill('SIGTERM')
    t.is(await daemon.ended, 0, daemon.log())
    t.log(`stopped after ${Math.round(performance.now() - began)} ms`)
    await waiting
    t.like((await json(t, 'channels'))[0], { balance: '10', bound: '10', certain: true })
    // The receiver writes down what became of it before the test takes its disk away.
    release()
    const channel = `${system.base}/api/1/channels/${system.senderAccount.address}`
    await until(async () => (await curl(channel)).status === 200 || undefined)
  },
)

withCurl(
  'SIGHUP: a new configuration is followed without losing the port, a bad one changes nothing',
  async (t) => {
    const system = await startSystem(t)
    const { folder, config, cli } = await daemonFolder(system, proxy)
    const daemon = await startDaemonProcess(t, folder)
    const url = await daemon.proxyUrl()
    const ask = (...args: readonly string[]) => curl('-x', url, ...args, 'http://room/reading')
    t.is((await ask()).status, 200)

    await config(`budget: { request: 4 units }\n${proxy}`)
    daemon.child.kill('SIGHUP')
    await until(() => /configuration reloaded/.test(daemon.log()) || undefined, daemon.log)
    const refused = await ask()
    t.is(refused.status, 402)
    t.is(JSON.parse(refused.body).code, 'price_over_cap')

    await config("budget: { request: '0,02 TKN' }\n")
    const bad = await cli('reload')
    t.is(bad.code, 2)
    t.regex(bad.stderr, /agent\.yaml:7 budget\.request/)
    await until(() => daemon.log().includes('the new configuration is refused, the old one stays'))
    t.is((await ask()).status, 402)
    t.regex((await daemon.status())?.configuration.refused ?? '', /budget\.request/)

    // Wrong only for who knows the token.
    await config('budget: { request: 5 unit }\n')
    t.regex((await cli('reload')).stderr, /\(wrong_token, exit 2\)/)
    t.is((await ask()).status, 402)

    // Right by itself, but its token's file is not there: nothing of it is in effect either.
    await config('budget: { request: 5 units }\nproxy: { programs: { a: { token: missing } } }\n')
    t.is((await cli('reload')).code, 6)
    t.is((await ask()).status, 402)

    // Its port is taken, which shows after the agent was exchanged for one with the higher cap.
    const { host } = new URL(system.base)
    await config(`budget: { request: 5 units }\nproxy: { listen: '${host}' }\n`)
    t.regex((await cli('reload')).stderr, /\(address_in_use, exit 1\)/)
    t.is((await ask()).status, 402)

    await writeFile(join(folder, 'token'), 'a-token-long-enough\n', { mode: 0o600 })
    await config(
      `budget: { request: 5 units }
proxy: { listen: '127.0.0.1:0', programs: { a: { token: token, budget: { total: 5 units } } } }
`,
    )
    t.is((await cli('reload')).code, 0)
    t.is((await ask()).status, 407)
    t.is((await ask('-U', 'a:a-token-long-enough')).headers.get('uraiden-balance'), '10')
    t.is((await ask('-U', 'a:a-token-long-enough')).status, 402)
    t.is((await daemon.status())?.configuration.refused, undefined)
  },
)

test('a command with another configuration does not go through the daemon, and its account pays nothing', async (t) => {
  const system = await startSystem(t)
  const { folder, cli } = await daemonFolder(system)
  const daemon = await startDaemonProcess(t, folder)
  // Of the same state, because neither says another one.
  await copyFile(join(folder, 'agent.yaml'), join(folder, 'other.yaml'))
  for (const command of [
    ...[['get', 'room/reading'], ['budget'], ['channels'], ['history']],
    ...[['run-job', 'reading'], ['pause'], ['reload'], ['flush'], ['status']],
  ]) {
    const { code, stdout, stderr } = await cli('--config', 'other.yaml', ...command)
    t.is(code, 7, stdout)
    t.regex(stderr, /has the configuration \S+agent\.yaml, not other\.yaml/)
  }
  t.deepEqual((await daemon.status())?.channels, [])
  await symlink('agent.yaml', join(folder, 'same.yaml'))
  t.is((await cli('--config', 'same.yaml', 'channels')).code, 0)
})

test('a command beside the daemon goes by what the daemon has read, and says when the file has changed', async (t) => {
  const system = await startSystem(t)
  const { folder, config, cli } = await daemonFolder(system)
  await startDaemonProcess(t, folder)
  const file = join(folder, 'agent.yaml')
  await config('jobs: { later: { get: room/reading, every: 1h, sinks: [{ file: x }] } }\n')
  const tomorrow = new Date(Date.now() + 86_400_000)
  await utimes(file, tomorrow, tomorrow)
  const got = await cli('get', 'room/reading')
  t.is(got.code, 0, got.stderr)
  t.regex(got.stderr, /agent\.yaml has changed since the daemon read it.*uraiden-agent reload/)
  const unknown = await cli('get', '--job', 'later', 'room/reading')
  t.regex(unknown.stderr, /\(job_unknown/)
  // Not even a broken one keeps its owner from the daemon.
  await appendFile(file, 'no: such setting\n')
  t.is((await cli('channels')).code, 0)
  t.is((await cli('get', 'room/reading')).code, 0)
  await config('')
  t.is((await cli('reload')).code, 0)
  t.is((await cli('get', 'room/reading')).stderr, '')
})

test('a command beside the daemon loads nothing that reads a configuration or opens an agent', async (t) => {
  const system = await startSystem(t)
  // As the package's own configuration has it.
  const { folder, cli } = await daemonFolder(system, 'control:\n  socket: state/control.sock\n')
  await startDaemonProcess(t, folder)
  t.is((await cli('channels')).code, 0)
  const environment = { ...cleanEnvironment(folder), URAIDEN_AGENT_CONFIG: 'agent.yaml' }
  const hooks = pathToFileURL(join(folder, 'loaded.mjs'))
  await writeFile(
    hooks,
    `import { registerHooks } from 'node:module'
import { appendFileSync } from 'node:fs'
registerHooks({ load: (url, context, next) => {
  appendFileSync(${JSON.stringify(join(folder, 'loaded'))}, url + '\\n')
  return next(url, context)
} })\n`,
  )
  const main = fileURLToPath(new URL('../../agent/cli/main.ts', import.meta.url))
  for (const command of [['get', 'room/reading'], ['status'], ['channels'], ['budget']]) {
    await promisify(execFile)(process.execPath, ['--import', hooks.href, main, ...command], {
      cwd: folder,
      env: environment,
    })
    const loaded = (await readFile(join(folder, 'loaded'), 'utf8')).split('\n')
    await rm(join(folder, 'loaded'))
    t.true(loaded.some((url) => url.endsWith('/agent/cli/start.ts')))
    const needless = [
      '/zod/',
      '/yaml/',
      '/ethers/',
      '/got/',
      '/classic-level/',
      '/keys/keystore.ts',
    ]
    t.deepEqual(
      loaded.filter((url) => needless.some((part) => url.includes(part))),
      [],
      command.join(' '),
    )
  }
})

test('a daemon that is there is not started twice', async (t) => {
  const system = await startSystem(t)
  const { folder, cli } = await daemonFolder(system, proxy)
  await startDaemonProcess(t, folder)
  const second = await cli('run')
  t.is(second.code, 7)
  t.regex(second.stderr, /Another process listens on .*\(socket_in_use, exit 7\)/s)
})

test('jobs run in the daemon, into their sinks, also when a person says so', async (t) => {
  const system = await startSystem(t)
  const job = (name: string, every: string) =>
    `  ${name}: { get: room/reading, every: '${every}', sinks: [{ file: ${name}.jsonl }] }\n`
  const seldom = `jobs:\n${job('seldom', '0 0 1 1 *')}`
  const { folder, config, cli, json } = await daemonFolder(system, seldom)
  const daemon = await startDaemonProcess(t, folder)
  await until(async () => ((await daemon.status())?.jobs.length === 1 ? true : undefined))
  t.like(await json(t, 'run-job', 'seldom'), { kind: 'done', status: 200, payment: { cost: '5' } })
  const delivered = (name: string) =>
    until(() =>
      readFile(join(folder, `${name}.jsonl`), 'utf8').then(
        (text) => text || undefined,
        () => undefined,
      ),
    )
  t.regex(await delivered('seldom'), /21\.4/)
  const person = await cli('status')
  t.regex(person.stdout, /JOB +NEXT +LAST .*\nseldom +in \d+ d +ok, authentic, \d+ (s|min) ago/)

  await config(`${seldom}${job('often', '* * * * * *')}`)
  t.is((await cli('reload')).code, 0)
  t.regex(await delivered('often'), /21\.4/)
  await json(t, 'pause', 'often')
  t.is((await daemon.status())?.jobs.find(({ name }) => name === 'often')?.state, 'paused')
  t.regex((await cli('pause', 'nobody')).stderr, /There is no job nobody/)
  daemon.child.kill('SIGTERM')
  t.is(await daemon.ended, 0, daemon.log())
})

test('the process that stays has not loaded what only reads commands, configurations and keystores', async (t) => {
  const system = await startSystem(t)
  const { folder, json } = await daemonFolder(
    system,
    `${proxy}jobs: { a: { get: room/reading, every: '0 0 1 1 *', sinks: [{ file: a.jsonl }] } }\n`,
  )
  const seen = join(folder, 'seen')
  const daemon = await startDaemonProcess(t, folder, { NODE_V8_COVERAGE: seen })
  await json(t, 'run-job', 'a')
  await until(() => readFile(join(folder, 'a.jsonl'), 'utf8').catch(() => undefined))
  await json(t, 'reload')
  daemon.child.kill('SIGTERM')
  t.is(await daemon.ended, 0, daemon.log())
  const files = await readdir(seen)
  const isDaemon = (file: string) => file.startsWith(`coverage-${daemon.child.pid}-`)
  const loadedIn = async (which: readonly string[]) => {
    const texts = await Promise.all(which.map((file) => readFile(join(seen, file), 'utf8')))
    return others.filter((part) => texts.some((text) => text.includes(part)))
  }
  // One for its start, one for the reload.
  const readers = files.filter((file) => !isDaemon(file))
  t.is(readers.length, 2)
  t.deepEqual(await loadedIn(readers), ['/zod/', '/yaml/', '/json-p3/', '/keys/keystore.ts'])
  const daemons = files.filter(isDaemon)
  t.is(daemons.length, 1)
  t.deepEqual(await loadedIn(daemons), [])
})

test('with a sealed key, nobody reads again what has not changed since an earlier start', async (t) => {
  const system = await startSystem(t)
  const { folder, json } = await daemonFolder(system, proxy)
  const credentials = join(folder, 'credentials')
  const seen = join(folder, 'seen')
  const service = join(folder, 'service')
  await Promise.all([credentials, service].map((each) => mkdir(each)))
  await writeFile(join(credentials, 'agent-key'), system.senderAccount.privateKey.slice(2))
  const environment = {
    ...{ STATE_DIRECTORY: service, CREDENTIALS_DIRECTORY: credentials, NODE_V8_COVERAGE: seen },
  }
  const readersOf = async (daemon: Awaited<ReturnType<typeof startDaemonProcess>>) => {
    daemon.child.kill('SIGTERM')
    t.is(await daemon.ended, 0, daemon.log())
    const files = await readdir(seen)
    const newest = files.filter((file) => !file.startsWith(`coverage-${daemon.child.pid}-`))
    return newest.length
  }
  // Files that have just been written are not trusted to be the ones that were read: a later start keeps them.
  const before = await until(async () => {
    const readers = await readersOf(await startDaemonProcess(t, folder, environment))
    return (await readdir(service)).length > 0 && readers
  })
  const again = await startDaemonProcess(t, folder, environment)
  t.like(await json(t, 'get', 'room/reading'), { status: 200, payment: { cost: '5' } })
  t.is(await readersOf(again), before + 1)
})

test('SIGTERM while the configuration is being read: the reader ends with the daemon', async (t) => {
  const folder = await temporaryFolder(t)
  // Nobody ever writes into it.
  execFileSync('mkfifo', [join(folder, 'agent.yaml')])
  const child = spawn(
    process.execPath,
    ['agent/cli/main.ts', '-c', `${folder}/agent.yaml`, 'run'],
    {
      stdio: 'ignore',
    },
  )
  t.teardown(() => child.kill('SIGKILL'))
  const ended = new Promise((resolve) => child.once('close', resolve))
  const children = `/proc/${child.pid}/task/${child.pid}/children`
  const reader = Number(
    await until(async () => (await readFile(children, 'utf8')).trim() || undefined),
  )
  child.kill('SIGTERM')
  t.is(await ended, 0)
  await until(async () => {
    const state = await readFile(`/proc/${reader}/stat`, 'utf8').catch(() => ') Z')
    // A container may have nobody who takes note of its end.
    return /\) Z/.test(state) || undefined
  })
  t.pass()
})
