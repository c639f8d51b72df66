// ./scripts/bench abuse: 2000 connections that do nothing, and 2000 that read nothing, against the real
// receiver program; what it holds in memory, and what clients that pay notice of it.
import { fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Command } from 'commander'
import { defaultConnectionLimits } from '../platform/http/connections.ts'
import { addressOfKey, fromHex } from '../protocol/index.ts'
import { defaultReplyLimits } from '../receiver/paywall/replies.ts'
import { integer } from '../scripts/lib/shared/arguments.ts'
import { deployTestContracts, startEmbeddedChain } from '../test/lab/chains/embedded-chain.ts'
import type { Attack, Orders } from './lib/abuse/attacker.ts'
import { type Latencies, type Payers, startPayers } from './lib/abuse/payer.ts'
import { prepareState } from './lib/receiver/channels.ts'
import { markdownTable } from './lib/table.ts'

const options = new Command('./scripts/bench abuse')
  .option('--connections <n>', 'of each attack', integer(1, 15_000), 2000)
  .option('--seconds <n>', 'of each phase', integer(1, 600), 10)
  .option('--unlimited', 'with limits as far away as they go, to compare')
  .option('--json', 'print JSON')
  .parse()
  .opts<{ connections: number; seconds: number; unlimited?: true; json?: true }>()

/** What a connection may send ahead of its answers, and one read of the socket. */
const bytesOfOne = (128 + 64) << 10
const { most, mostBytes } = defaultConnectionLimits
const bound = (most * bytesOfOne + mostBytes + 2 * defaultReplyLimits.mostBytes) / 2 ** 20

const unlimited =
  'limits: { connections: 100000, pipelined: 1000, mostBytes: 100000000000, stall: 3600 }\n'

interface Phase {
  readonly name: string
  /** Resident, in MB of 1024 × 1024 bytes. */
  readonly most: number
  readonly connected: Latencies
  readonly newcomers: Latencies
}

const cache = fileURLToPath(new URL('../.cache', import.meta.url))
await mkdir(cache, { recursive: true })
const folder = await mkdtemp(join(cache, 'bench-abuse-'))
const chain = await startEmbeddedChain()
try {
  const phases = await run()
  process.stdout.write(options.json ? `${JSON.stringify({ bound, phases })}\n` : table(phases))
} finally {
  await chain.close()
  await rm(folder, { recursive: true })
}

async function run(): Promise<readonly Phase[]> {
  const { channelsAddress: contract } = await deployTestContracts(chain.wallet(0))
  const key = chain.accounts[1]?.privateKey ?? '0x'
  const domain = { contract, chainId: chain.chainId }
  const fleet = { domain, receiver: addressOfKey(fromHex(key)), price: 5n, channels: 9 }
  const block = await chain.provider.getBlock('latest')
  const head = { block: block?.number ?? 0, hash: (block?.hash ?? '0x') as `0x${string}` }
  await prepareState(join(folder, 'state'), fleet, head)
  await writeFile(join(folder, 'key'), key, { mode: 0o600 })
  await writeFile(join(folder, 'reading'), '21.4')
  await writeFile(join(folder, 'large'), Buffer.alloc(1 << 20))
  await writeFile(
    join(folder, 'receiver.yaml'),
    `rpc: ${chain.rpcUrl}
contract: '${contract}'
key: key
state: state
listen: 127.0.0.1:0
log: { level: warn }
resources:
  /paid: { price: 5 units, files: reading }
  /free: { price: '0', files: large }
${options.unlimited ? unlimited : ''}`,
  )
  const { child, url } = await startReceiver()
  const payers = await startPayers(url, fleet)
  try {
    return await phasesOf({ pid: child.pid ?? 0, url, payers })
  } finally {
    await payers.stop()
    child.kill('SIGTERM')
    await once(child, 'exit')
  }
}

async function startReceiver() {
  const main = fileURLToPath(new URL('../receiver/cli/main.ts', import.meta.url))
  const args = [main, '--json', '--config', join(folder, 'receiver.yaml'), 'start']
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = await Promise.race([
    once(child.stdout, 'data'),
    once(child, 'exit').then(() => Promise.reject(new Error('the receiver ended'))),
  ])
  return { child, url: JSON.parse(`${line}`).url as string }
}

interface Running {
  readonly pid: number
  readonly url: string
  readonly payers: Payers
}

async function phasesOf(running: Running): Promise<readonly Phase[]> {
  // A cold server is measured by nobody.
  await phase(running, 'warm')
  const before = await phase(running, 'before')
  const idle = await attacked(running, 'do nothing')
  await pause(5000)
  const between = await phase(running, 'between')
  const deaf = await attacked(running, 'read nothing')
  await pause(5000)
  return [before, idle, between, deaf, await phase(running, 'after')]
}

async function attacked(running: Running, attack: Attack): Promise<Phase> {
  const attacker = fork(fileURLToPath(new URL('./lib/abuse/attacker.ts', import.meta.url)))
  const { connections } = options
  const path = '/free'
  const orders: Orders = { attack, connections, path, port: Number(new URL(running.url).port) }
  attacker.send(orders)
  await pause(5000)
  const name = `${connections} that ${attack}`
  const seen = await phase(running, name)
  attacker.kill('SIGKILL')
  await once(attacker, 'exit')
  return seen
}

async function phase({ pid, payers }: Running, name: string): Promise<Phase> {
  payers.connected()
  payers.newcomers()
  const end = performance.now() + options.seconds * 1000
  let most = 0
  while (performance.now() < end) {
    most = Math.max(most, await resident(pid))
    await pause(100)
  }
  return { name, most, connected: payers.connected(), newcomers: payers.newcomers() }
}

async function resident(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(text)?.[1]) / 1024
}

function table(phases: readonly Phase[]): string {
  const [before] = phases
  const rows = phases.map(({ name, most, connected, newcomers }) => {
    return [
      name,
      most.toFixed(0),
      `${connected.perSecond.toFixed(0)}`,
      `${connected.p50.toFixed(1)} / ${connected.p99.toFixed(1)}`,
      `${newcomers.p50.toFixed(1)} / ${newcomers.p99.toFixed(1)}`,
      `${connected.failed} / ${newcomers.failed}`,
    ]
  })
  const head = [
    'connections',
    'resident MB',
    'paid/s',
    'p50 / p99 ms',
    'new clients p50 / p99 ms',
    'failed',
  ]
  const limit = options.unlimited
    ? 'no limits\n'
    : `configured bound: ${((before?.most ?? 0) + bound).toFixed(0)} MB (${bound.toFixed(0)} above the first row)\n`
  return markdownTable(head, rows) + limit
}
