// The agent's files as a package installs them, run by the processor they are for: LevelDB opens, a
// signature is made, and a receiver on this machine takes the payment.
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { platformNames } from '../../deploy/pi/packaging/platforms.ts'
import { runCli, writeAgentFiles } from '../support/cli.ts'
import { folderOf, launch, machineOf, runIn } from '../support/packed.ts'
import { price, startSystem } from '../support/system.ts'

for (const machine of platformNames.map(machineOf)) {
  const { name } = machine
  const program = launch(machine, 'uraiden-agent')

  test(`${name}: the program is for that processor`, async (t) => {
    const node = join(folderOf(machine, 'uraiden-agent'), 'node')
    const script = 'console.log(process.version, process.arch)'
    const { stdout, stderr } = await runIn('/', [...machine.emulator, node, '-e', script])
    t.is(stdout.trim(), machine.node, stderr)
  })

  test(`${name}: buys, and a second process goes on where the first one stopped`, async (t) => {
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
    const agent = (...args: readonly string[]) => runIn(folder, [...program, ...args])

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
    const packed = await agent('--json', 'channels')
    t.deepEqual(JSON.parse(packed.stdout), JSON.parse(native.stdout))
  })

  test(`${name}: what goes wrong is said as everywhere`, async (t) => {
    const args = ['--config', '/nowhere/agent.yaml', 'channels']
    const { code, stderr } = await runIn('/', [...program, ...args])
    t.is(code, 2)
    t.regex(stderr, /^uraiden-agent: .*\/nowhere\/agent\.yaml/)
  })
}
