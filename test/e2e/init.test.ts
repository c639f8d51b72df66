// From an empty home to a paid answer with `init` of both programs, by options and at a terminal.
import { spawn } from 'node:child_process'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stripVTControlCharacters } from 'node:util'
import test from 'ava'
import { runCli } from '../support/cli.ts'
import { cleanEnvironment } from '../support/environment.ts'
import { givenReceiverFolder, runReceiver, startProgram } from '../support/receiver-program.ts'
import { startSystem } from '../support/system.ts'
import { needing, tools } from '../support/tools.ts'

const main = fileURLToPath(new URL('../../agent/cli/main.ts', import.meta.url))

/** No configuration is named. */
const home = (folder: string) => ({ URAIDEN_AGENT_CONFIG: undefined, XDG_CONFIG_HOME: folder })

test('a receiver and an agent begin with what init wrote, and the agent buys', async (t) => {
  const system = await givenReceiverFolder(t)
  const { chain, contract, token } = system
  const folder = join(system.folder, 'home')
  await mkdir(folder)
  const places = ['--rpc', chain.rpcUrl, '--contract', contract]
  const config = join(folder, 'receiver.yaml')
  const sells = ['--listen', '127.0.0.1:0', '--path', '/load', '--price', '0.000000000000000005']
  const made = await runReceiver(folder, [
    ...['--json', '-c', config, ...places, 'init', '--yes', ...sells],
    ...['--command', 'echo sunny'],
  ])
  t.is(made.code, 0, made.stderr)
  const owner = JSON.parse(made.stdout).address
  await (await chain.wallet(0).sendTransaction({ to: owner, value: 10n ** 18n })).wait()
  const program = await startProgram(t, { ...system, folder }, ['-c', 'receiver.yaml'])

  const options = ['init', '--yes', ...places, '--receiver', `shop=${program.url}`]
  const agent = await runCli(folder, options, home(folder))
  t.is(agent.code, 0, agent.stderr + agent.stdout)
  t.regex(
    agent.stdout,
    /Send tokens, and a little ether for fees, to 0x.*\n {2}uraiden-agent doctor/s,
  )
  t.regex(agent.stdout, /✔ contract/)
  const [, account = ''] = /^account (0x\w+)$/m.exec(agent.stdout) ?? []
  await (await chain.wallet(0).sendTransaction({ to: account, value: 10n ** 18n })).wait()
  await (await token.getFunction('transfer(address,uint256)')(account, 10n ** 18n)).wait()
  const got = await runCli(folder, ['--json', 'get', 'shop/load'], home(folder))
  t.is(got.code, 0, got.stderr)
  t.like(JSON.parse(got.stdout), { status: 200, body: 'sunny\n', payment: { cost: '5' } })

  const again = await runCli(folder, options, home(folder))
  t.is(again.code, 2)
  t.regex(
    again.stderr,
    /There is a configuration .*agent\.yaml already.*\n.*\(config_exists, exit 2\)/,
  )
})

test('what is missing or wrong is named, and nothing is written', async (t) => {
  const { chain, contract, folder: own } = await startSystem(t)
  const folder = join(own, 'home')
  await mkdir(folder)
  const rpc = ['--rpc', chain.rpcUrl]
  const wrong: readonly (readonly [readonly string[], RegExp])[] = [
    [[...rpc], /Say it with --contract ADDRESS.*answer_missing/s],
    [['--rpc', 'localhost', '--contract', contract], /"localhost".*not_a_url/s],
    [[...rpc, '--contract', '0x1'], /not_an_address/],
    [[...rpc, '--contract', contract, '--day', '1 TKN'], /"1 TKN" is not an amount.*not_tokens/s],
    [[...rpc, '--contract', contract, '--receiver', 'http://x'], /NAME=URL.*usage_receiver/s],
    [[...rpc, '--contract', contract, '--receiver', 'A=http://x'], /usage_receiver/],
  ]
  for (const [options, message] of wrong) {
    const { code, stderr } = await runCli(folder, ['init', '--yes', ...options], home(folder))
    t.is(code, 2, stderr)
    t.regex(stderr, message)
  }
  await t.throwsAsync(readFile(join(folder, 'uraiden/agent.yaml')), { code: 'ENOENT' })
  const none = await runCli(folder, ['status'], home(folder))
  t.regex(none.stderr, /There is no configuration file .*\n.*the command init/)
})

const atTerminal = needing(test, tools.script)

atTerminal('at a terminal it asks, and what is wrong is asked for again', async (t) => {
  const { chain, contract, base, folder: own } = await startSystem(t)
  const folder = join(own, 'home')
  await mkdir(folder)
  const command = `'${process.execPath}' '${main}' init --no-discover --receiver room=${base}`
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    cwd: folder,
    env: { ...cleanEnvironment(folder), XDG_CONFIG_HOME: folder, NO_COLOR: '1' },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const answers: readonly (readonly [RegExp, string])[] = [
    [/Ethereum node \[http:\/\/127\.0\.0\.1:8545\]: $/, 'nonsense'],
    [/"nonsense": .*node \[http:\/\/127\.0\.0\.1:8545\]: $/s, chain.rpcUrl],
    [/Channels contract: $/, contract],
    [/one request, in tokens \[0\.01\]: $/, ''],
    [/in a day, in tokens \[1\]: $/, '0.5'],
  ]
  let said = ''
  let next = 0
  child.stdout.setEncoding('utf8').on('data', (text) => {
    said += text
    // What a line editor sends to move its cursor is no text.
    const plain = stripVTControlCharacters(said)
    const [question, answer] = answers[next] ?? []
    if (question?.test(plain)) {
      next++
      said = ''
      child.stdin.write(`${answer}\n`)
    }
  })
  const code = await new Promise((resolve) => child.once('close', resolve))
  t.is(code, 0, said)
  t.is(next, answers.length)
  const written = await readFile(join(folder, 'uraiden/agent.yaml'), 'utf8')
  t.regex(written, /request: "0\.01"\n {2}day: "0\.5"/)
  t.regex(written, new RegExp(`room: \\{ url: "${base}" \\}`))
})
