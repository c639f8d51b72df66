// ./scripts/bench daemon: what the daemon takes while nothing happens, compiled as the package ships it.
// A channel is open, the proxy listens, a job waits for its hour. Once with the variables of the systemd
// unit, which make it smaller, and once without.
import { execFile, spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Command } from 'commander'
import { createAgent } from '../agent/index.ts'
import { createKeySigner } from '../platform/keys/index.ts'
import { fromHex, parseAddress } from '../protocol/index.ts'
import { integer } from '../scripts/lib/shared/arguments.ts'
import { deployTestContracts, startEmbeddedChain } from '../test/lab/chains/embedded-chain.ts'

const { seconds, json } = new Command('./scripts/bench daemon')
  .option('--seconds <n>', 'that it is watched', integer(1, 3600), 60)
  .option('--json', 'print JSON')
  .parse()
  .opts<{ seconds: number; json?: true }>()
const root = fileURLToPath(new URL('..', import.meta.url))
// Beside node_modules, which the compiled program needs too.
const folder = await mkdtemp(join(root, '.cache/bench-daemon-'))

interface Look {
  readonly residentMB: number
  readonly anonymousMB: number
  readonly cpuSeconds: number
  readonly wakeups: number
}

try {
  const tsc = join(root, 'node_modules/.bin/tsc')
  const dist = join(folder, 'dist')
  await promisify(execFile)(tsc, ['-p', 'tsconfig.build.json', '--outDir', dist], { cwd: root })
  await prepareStore()
  const bare = await measure(['-e', 'setInterval(() => undefined, 2 ** 30)'])
  const program = [join(dist, 'agent/cli/main.js'), 'run']
  const plain = await measure(program)
  const service = await measure(program, await variablesOfUnit())
  const result = { node: process.version, seconds, bare, plain, service }
  const rows = [row('bare Node', bare), row('daemon', plain), row('as service', service)]
  process.stdout.write(json ? `${JSON.stringify(result)}\n` : rows.join(''))
} finally {
  await rm(folder, { recursive: true, force: true })
}

/** An agent that has a channel, so that it has nothing to ask the chain. */
async function prepareStore(): Promise<void> {
  const chain = await startEmbeddedChain()
  const { channelsAddress: contract, token } = await deployTestContracts(chain.wallet(0))
  const [, receiver, sender] = chain.accounts
  if (!receiver || !sender) throw new Error('no accounts')
  await (await token.getFunction('transfer(address,uint256)')(sender.address, 1000n)).wait()
  const { rpcUrl, chainId } = chain
  const agent = await createAgent({
    signer: createKeySigner(fromHex(sender.privateKey)),
    ...{ rpcUrl, chainId, contract, store: join(folder, 'state/ledger') },
  })
  await agent.openChannel(parseAddress(receiver.address), 100n)
  const { symbol, decimals } = await agent.token()
  await agent.stop()
  await chain.close()
  const facts = { contract, chainId: `${chainId}`, symbol, decimals }
  await writeFile(join(folder, 'state/chain.json'), JSON.stringify(facts))
  await writeFile(join(folder, 'key'), sender.privateKey, { mode: 0o600 })
  await writeFile(
    join(folder, 'agent.yaml'),
    `rpc: ${rpcUrl}
contract: ${contract}
key: key
state: state
budget: { day: 1 TKN }
receivers: { room: { url: 'http://127.0.0.1:9', address: ${receiver.address} } }
proxy: { listen: '127.0.0.1:0' }
jobs: { yearly: { get: room/x, every: '0 0 1 1 *', sinks: [{ file: yearly.jsonl }] } }
`,
  )
}

/** systemd.exec(5): words NAME=value, in quotes with spaces; those with a specifier are systemd's own to fill. */
async function variablesOfUnit(): Promise<NodeJS.ProcessEnv> {
  const unit = await readFile(join(root, 'deploy/pi/systemd/uraiden-agent.service'), 'utf8')
  const words = [...unit.matchAll(/^Environment=(.*)$/gm)].flatMap(([, line = '']) =>
    [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare = '']) => quoted ?? bare),
  )
  const variables = words.filter((word) => !word.includes('%')).map((word) => word.split(/=(.*)/s))
  return Object.fromEntries(variables.map(([name = '', value = '']) => [name, value]))
}

async function measure(args: readonly string[], variables: NodeJS.ProcessEnv = {}): Promise<Look> {
  const child = spawn(process.execPath, args, {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: folder, URAIDEN_AGENT_CONFIG: 'agent.yaml', ...variables },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const { pid } = child
  if (pid === undefined) throw new Error('it did not start')
  try {
    // Start-up is not idleness.
    await pause(15)
    const before = await look(pid)
    await pause(seconds)
    const after = await look(pid)
    return {
      residentMB: after.residentMB,
      anonymousMB: after.anonymousMB,
      cpuSeconds: after.cpuSeconds - before.cpuSeconds,
      wakeups: after.wakeups - before.wakeups,
    }
  } finally {
    const ended = new Promise((resolve) => child.once('close', resolve))
    child.kill('SIGTERM')
    await ended
  }
}

/** proc(5). A tick is a hundredth of a second on every Linux that Node runs on. */
async function look(pid: number): Promise<Look> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  const field = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1])
  const line = await readFile(`/proc/${pid}/stat`, 'utf8')
  const [, , , , , , , , , , , user, system] = line.slice(line.lastIndexOf(')') + 2).split(' ')
  return {
    residentMB: Math.round(field('VmRSS') / 1024),
    anonymousMB: Math.round(field('RssAnon') / 1024),
    cpuSeconds: (Number(user) + Number(system)) / 100,
    wakeups: field('voluntary_ctxt_switches'),
  }
}

function pause(length: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, length * 1000))
}

function row(name: string, { residentMB, anonymousMB, cpuSeconds, wakeups }: Look): string {
  return `${name.padEnd(12)} ${residentMB} MB resident, ${anonymousMB} MB of its own, ${((100 * cpuSeconds) / seconds).toFixed(2)} % CPU, ${(wakeups / seconds).toFixed(1)} wakeups a second\n`
}
