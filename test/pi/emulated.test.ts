// The files that a package installs, run by the processor they are for, emulated: LevelDB opens, a
// signature is made, and a receiver on this machine takes the payment.
import { spawn } from 'node:child_process'
import { access, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { type CliResult, runCli, writeAgentFiles } from '../support/cli.ts'
import { price, startSystem } from '../support/system.ts'

interface Machine {
  readonly name: 'arm64' | 'armhf'
  readonly emulator: readonly [string, ...string[]]
  readonly node: string
}

const machines: readonly Machine[] = [
  {
    name: 'arm64',
    emulator: ['qemu-aarch64-static', '-L', '/usr/aarch64-linux-gnu'],
    node: 'v24.21.0 arm64',
  },
  {
    name: 'armhf',
    emulator: ['qemu-arm-static', '-L', '/usr/arm-linux-gnueabihf'],
    node: 'v20.11.0 arm',
  },
]

for (const machine of machines) {
  test(`${machine.name}: the program is for that processor`, async (t) => {
    const script = 'console.log(process.version, process.arch)'
    const { stdout, stderr } = await emulate(machine, '/', ['-e', script])
    t.is(stdout.trim(), machine.node, stderr)
  })

  test(`${machine.name}: buys, and a second process goes on where the first one stopped`, async (t) => {
    const system = await startSystem(t)
    const folder = join(system.folder, 'pi')
    await mkdir(folder)
    const config = `rpc: ${system.chain.rpcUrl}
contract: '${system.contract}'
key: key
state: state
timeout: 120
`
    await writeAgentFiles(folder, system.senderAccount.privateKey, config)
    const agent = (...args: readonly string[]) =>
      emulate(machine, folder, [bundleOf(machine), ...args])

    const first = await agent('get', `${system.base}/reading`)
    t.is(first.code, 0, first.stderr)
    const second = await agent('get', `${system.base}/reading`)
    t.is(second.code, 0, second.stderr)

    t.is(first.stdout, second.stdout)
    const [channel, ...others] = [...system.receiver.book.all()]
    t.deepEqual(others, [])
    t.is(channel?.claims.highest, 2n * price)

    // What it wrote is what this machine's own agent reads.
    const native = await runCli(folder, ['--json', 'channels'])
    t.is(native.code, 0, native.stderr)
    const emulated = await agent('--json', 'channels')
    t.deepEqual(JSON.parse(emulated.stdout), JSON.parse(native.stdout))
  })

  test(`${machine.name}: what goes wrong is said as everywhere`, async (t) => {
    const { code, stderr } = await emulate(machine, '/', [
      bundleOf(machine),
      '--config',
      '/nowhere/agent.yaml',
      'channels',
    ])
    t.is(code, 2)
    t.regex(stderr, /^uraiden-agent: .*\/nowhere\/agent\.yaml/)
  })
}

test.before(async () => {
  for (const machine of machines) await access(bundleOf(machine))
})

function programOf({ name }: Machine): string {
  const path = `../../dist-pi/tree-${name}/usr/lib/uraiden-agent`
  return fileURLToPath(new URL(path, import.meta.url))
}

function bundleOf(machine: Machine): string {
  return join(programOf(machine), 'uraiden-agent.cjs')
}

function emulate(machine: Machine, cwd: string, args: readonly string[]): Promise<CliResult> {
  const [emulator, ...options] = machine.emulator
  const node = join(programOf(machine), 'node')
  const child = spawn(emulator, [...options, node, ...args], {
    cwd,
    env: { PATH: process.env.PATH, HOME: cwd, URAIDEN_AGENT_CONFIG: 'agent.yaml' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const said = { stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text) => {
    said.stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text) => {
    said.stderr += text
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, ...said }))
  })
}
