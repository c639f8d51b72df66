import { existsSync, readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { isUraidenError } from '../../../protocol/index.ts'
import { runCommand } from '../../../receiver/resources/command/run.ts'
import { shareRuns } from '../../../receiver/resources/command/shared.ts'
import { splitCommand } from '../../../receiver/resources/configuration/split.ts'
import { temporaryFolder } from '../../support/folder.ts'
import { givenShop } from '../../support/shop.ts'
import { until } from '../../support/until.ts'

const node = process.execPath

/** A command that runs JavaScript. */
const script = (code: string) => [node, '-e', code]

test.serial(
  'the output of a command is sold, with its type; a sensor is read once for all who wait',
  async (t) => {
    const { ask, buy, folder } = await givenShop(t, () => ({
      '/sensor': {
        price: '5 units',
        type: 'application/json',
        cache: 3600,
        timeout: 60,
        command: script(
          `require('fs').appendFileSync('runs', 'x'); console.log(JSON.stringify({ celsius: 21.4 }))`,
        ),
      },
    }))
    t.is((await ask('/sensor')).status, 402)
    t.false(existsSync(join(folder, 'runs')), 'nobody paid, so nothing ran')
    const first = await buy('/sensor', 5n)
    t.is(first.headers.get('content-type'), 'application/json')
    t.deepEqual(await first.json(), { celsius: 21.4 })
    t.is((await buy('/sensor', 5n)).status, 200)
    t.is(await readFile(join(folder, 'runs'), 'utf8'), 'x')
  },
)

const failures = [
  {
    name: 'fails',
    timeout: 60,
    command: script(`console.error('no sensor'); process.exit(3)`),
    status: 500,
  },
  { name: 'is not there', timeout: 60, command: ['/nowhere/read-sensor'], status: 500 },
  {
    name: 'takes too long',
    timeout: 0.5,
    command: script('setInterval(() => 0, 1000)'),
    status: 504,
  },
  {
    name: 'writes too much',
    timeout: 60,
    command: script(`console.log('x'.repeat(2000))`),
    status: 500,
  },
] as const
for (const { name, timeout, command, status } of failures) {
  test.serial(
    `a command that ${name} costs nothing, and says nothing of the machine`,
    async (t) => {
      const { buy, balance } = await givenShop(t, () => ({
        '/sensor': { price: '5 units', timeout, mostOutput: 1000, command },
      }))
      const answer = await buy('/sensor', 5n)
      t.is(answer.status, status)
      t.is(answer.headers.get('rdn-cost'), '0')
      t.is(balance(), 0n)
      const body = await answer.text()
      t.regex(body, /"code":"resource_(failed|timeout)"/)
      t.notRegex(body, /nowhere|no sensor|exit code/)
    },
  )
}

const limits = { timeout: 30_000, mostOutput: 100, signal: new AbortController().signal }

test('a command gets arguments as they are, the configuration’s folder, and no secret', async (t) => {
  const folder = await temporaryFolder(t)
  const output = await runCommand({
    ...limits,
    mostOutput: 10_000,
    folder,
    command: [
      ...script('console.log(JSON.stringify([process.argv.slice(1), process.cwd(), process.env]))'),
      '--',
      '$(id)',
      '; ls',
    ],
    environment: {
      PATH: process.env.PATH,
      LANG: 'C',
      URAIDEN_RECEIVER_KEY_PASSWORD: 'secret',
      CREDENTIALS_DIRECTORY: '/run/credentials',
      NOTIFY_SOCKET: '/run/notify',
    },
  })
  const [args, cwd, environment] = JSON.parse(output.toString())
  t.deepEqual(args, ['$(id)', '; ls'])
  t.is(cwd, folder)
  // Node itself hands the measuring of coverage on to what it starts.
  const given = Object.keys(environment).filter((name) => name !== 'NODE_V8_COVERAGE')
  t.deepEqual(given.sort(), ['LANG', 'PATH'])
})

test('when a run is over in time, what it started is over too', async (t) => {
  const folder = await temporaryFolder(t)
  const code = `
    const { spawn } = require('node:child_process')
    const child = spawn(process.execPath, ['-e', 'setInterval(() => 0, 1000)'], { stdio: 'inherit' })
    require('node:fs').writeFileSync('pid', String(child.pid))
    setInterval(() => 0, 1000)`
  const stop = new AbortController()
  const running = runCommand({ ...limits, folder, command: script(code), signal: stop.signal })
  const outcome = t.throwsAsync(running, { code: 'command_stopped' })
  const pid = join(folder, 'pid')
  await until(async () => existsSync(pid) && (await readFile(pid, 'utf8')) !== '')
  stop.abort()
  await outcome
  const grandchild = Number(await readFile(pid, 'utf8'))
  await until(() => !isAlive(grandchild))
  t.pass()
})

function stoppable() {
  const stop = new AbortController()
  return { signal: stop.signal, abort: () => stop.abort() }
}

/** Leaves a process behind that is in no group of the command's and keeps what `stdio` says of its pipes. */
const leaving = (stdio: string, then: string) =>
  script(`
    const { spawn } = require('node:child_process')
    const child = spawn(process.execPath, ['-e', 'setInterval(() => 0, 1000)'], { stdio: ${stdio}, detached: true })
    require('node:fs').writeFileSync('pid', String(child.pid))
    child.unref()
    ${then}`)

const kept = [
  ["'inherit'", `process.stdout.write('21.4'); process.exitCode = 0`, '21.4'],
  ["['ignore', 'inherit', 'ignore']", `process.stdout.write('21.4')`, '21.4'],
  ["'inherit'", 'process.exitCode = 3', 'command_failed'],
  ["'inherit'", 'setInterval(() => 0, 1000)', 'command_stopped'],
] as const
for (const [stdio, then, expected] of kept) {
  test(`a command whose child keeps the pipe ends all the same: ${stdio}, ${then}`, async (t) => {
    const folder = await temporaryFolder(t)
    const { signal, abort } = stoppable()
    const running = runCommand({ ...limits, folder, command: leaving(stdio, then), signal })
    const outcome = running.then(String, ({ code }) => code)
    const left = await until(
      async () => Number(await readFile(join(folder, 'pid')).catch(() => 0)) || undefined,
    )
    if (expected === 'command_stopped') abort()
    try {
      t.is(await outcome, expected)
    } finally {
      process.kill(left, 'SIGKILL')
    }
  })
}

test('neither does it outlast its time', async (t) => {
  const folder = await temporaryFolder(t)
  const command = ['sh', '-c', 'setsid sleep 20 & sleep 20']
  const error = await t.throwsAsync(runCommand({ ...limits, folder, command, timeout: 500 }))
  t.like(error, { code: 'command_timeout' })
})

test('output of exactly the limit is good, one byte more is not', async (t) => {
  const folder = await temporaryFolder(t)
  const write = (bytes: number) =>
    runCommand({ ...limits, folder, command: script(`process.stdout.write('x'.repeat(${bytes}))`) })
  t.is((await write(100)).length, 100)
  await t.throwsAsync(write(101), { code: 'command_output_too_large' })
})

test('those who ask while a command runs share its run; afterwards it is kept for its time', async (t) => {
  let time = 0
  let runs = 0
  const finish: ((output: string) => void)[] = []
  const output = shareRuns({
    run: () => {
      runs += 1
      return new Promise<string>((resolve) => finish.push(resolve))
    },
    keepFor: 10,
    now: () => time,
  })
  const both = Promise.all([output(), output()])
  t.is(runs, 1)
  finish[0]?.('first')
  t.deepEqual(await both, ['first', 'first'])
  time = 9
  t.is(await output(), 'first')
  time = 10
  const second = output()
  t.is(runs, 2)
  finish[1]?.('second')
  t.is(await second, 'second')
})

test('a failed run is not kept, and fails all who waited for it', async (t) => {
  let runs = 0
  const output = shareRuns({
    run: async () => {
      runs += 1
      if (runs === 1) throw new Error('no sensor')
      return 'well'
    },
    keepFor: 1000,
    now: () => 0,
  })
  const outcomes = await Promise.allSettled([output(), output()])
  t.deepEqual(
    outcomes.map(({ status }) => status),
    ['rejected', 'rejected'],
  )
  t.is(await output(), 'well')
})

const commands = [
  ['date', ['date']],
  [
    '  cat   /sys/class/thermal/thermal_zone0/temp ',
    ['cat', '/sys/class/thermal/thermal_zone0/temp'],
  ],
  [`read --unit 'degrees C' "a \\ b"`, ['read', '--unit', 'degrees C', 'a \\ b']],
  [`a''b ''`, ['ab', '']],
  [`say '$HOME | *'`, ['say', '$HOME | *']],
] as const
for (const [text, words] of commands) {
  test(`the command ${text} is split into ${JSON.stringify(words)}`, (t) => {
    t.deepEqual(splitCommand(text), [...words])
  })
}

for (const text of [
  'cat x | head',
  'a && b',
  'a > b',
  'echo $HOME',
  'ls *',
  'a; b',
  '`id`',
  "say 'x",
  '',
]) {
  test(`the command "${text}" is refused with a remedy`, (t) => {
    const error = t.throws(() => splitCommand(text))
    t.true(isUraidenError(error))
  })
}

/** A zombie is over: it only waits for its parent to notice. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch {
    return false
  }
  return !/^State:\s+Z/m.test(statusOf(pid))
}

function statusOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8')
  } catch {
    return ''
  }
}
