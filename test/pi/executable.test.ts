// The agent as one file: its Node finds the program in itself, and LevelDB is written out and loaded.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { version } from '../../platform/system/version.ts'
import { writeAgentFiles } from '../support/cli.ts'
import { temporaryFolder } from '../support/folder.ts'
import { machineOf, runIn } from '../support/packed.ts'
import { price, startSystem } from '../support/system.ts'
import { until } from '../support/until.ts'

for (const machine of (['arm64', 'amd64'] as const).map(machineOf)) {
  const path = `../../dist-pi/uraiden-agent-${version}-${machine.name}`
  const executable = [...machine.emulator, fileURLToPath(new URL(path, import.meta.url))]

  test(`${machine.name}: one file buys, with LevelDB from inside it`, async (t) => {
    const system = await startSystem(t)
    const folder = join(system.folder, 'pi')
    await mkdir(folder)
    await writeAgentFiles(
      folder,
      system.senderAccount.privateKey,
      `rpc: ${system.chain.rpcUrl}\ncontract: '${system.contract}'\nkey: key\nstate: state\ntimeout: 120\n`,
    )
    for (let bought = 1; bought <= 2; bought++) {
      const { code, stderr } = await runIn(folder, [...executable, 'get', `${system.base}/reading`])
      t.is(code, 0, stderr)
      t.is([...system.receiver.book.all()][0]?.claims.highest, BigInt(bought) * price)
    }
    const cache = join(folder, '.cache/uraiden')
    t.deepEqual(await readdir(cache), ['classic-level.node'])
    t.is((await stat(cache)).mode & 0o777, 0o700)
  })

  test(`${machine.name}: it loads nothing from a folder that others may write to`, async (t) => {
    const folder = await temporaryFolder(t)
    // So that there is something to be read from the state.
    await writeAgentFiles(
      folder,
      `0x${'11'.repeat(32)}`,
      `rpc: http://127.0.0.1:9\ncontract: '0x${'22'.repeat(20)}'\nkey: key\nstate: state\n`,
    )
    await mkdir(join(folder, '.cache/uraiden'), { recursive: true })
    await chmod(join(folder, '.cache/uraiden'), 0o777)
    const { code, stdout, stderr } = await runIn(folder, [...executable, 'channels'])
    t.not(code, 0)
    t.is(stdout, '')
    t.regex(stderr, /others may write to it/)
  })
}

/** An emulator of a processor alone starts no program of that processor from another one: this machine's own. */
test('amd64: one file runs as a daemon, and reads its configuration in a process of its own', async (t) => {
  const system = await startSystem(t)
  const folder = join(system.folder, 'daemon')
  await mkdir(folder)
  await writeAgentFiles(
    folder,
    system.senderAccount.privateKey,
    `rpc: ${system.chain.rpcUrl}
contract: '${system.contract}'
key: key
state: state
jobs:
  reading:
    get: ${system.base}/reading
    every: '* * * * * *'
    sinks: [{ file: lines.jsonl }]
`,
  )
  const program = fileURLToPath(
    new URL(`../../dist-pi/uraiden-agent-${version}-amd64`, import.meta.url),
  )
  const child = spawn(program, ['run'], {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: folder, URAIDEN_AGENT_CONFIG: 'agent.yaml' },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  let log = ''
  child.stderr.setEncoding('utf8').on('data', (text) => {
    log += text
  })
  const ended = once(child, 'close')
  const paid = () => [...system.receiver.book.all()].some(({ claims }) => claims.highest > 0n)
  await until(() => paid() || child.exitCode !== null)
  child.kill('SIGTERM')
  t.deepEqual(await ended, [0, null], log)
})
