// ./scripts/bench fleet: what many agents cost one receiver, a channel each, and how that grows with their number.
//
// The receiver and its store are real, the agents pay over HTTP; the chain is made up. Stages: `open`, channels that are
// opened while the receiver follows the chain; `claim`, one payment on each channel, and `again` the next one; `quiet`, a
// look at a chain on which nothing happens; `settle`, a withdrawal from each in batches; `start` on that state; `sync`,
// the same chain read into an empty one.
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Command, Option } from 'commander'
import { addressOfKey, fromHex } from '../protocol/index.ts'
import { integer } from '../scripts/lib/shared/arguments.ts'
import { startPostgres } from '../test/lab/postgres/server.ts'
import { createAgents } from './lib/fleet/agents.ts'
import { madeUp } from './lib/fleet/made-up-chain.ts'
import { memoryTable, stageTable } from './lib/fleet/report.ts'
import { type FleetRow, type Ground, measureFleet, type StoreName } from './lib/fleet/stages.ts'

interface Options {
  readonly json?: true
  readonly channels: readonly number[]
  readonly store: StoreName | 'both'
  readonly looks: number
  readonly warm: number
}

const list = (text: string) => text.split(',').map(integer(1, 1_000_000))

const options = new Command('./scripts/bench fleet')
  .description('what many agents with a channel each cost a receiver, and how it grows')
  .option('--channels <numbers>', 'with commas between', list, [1000, 10_000, 100_000])
  .addOption(
    new Option('--store <name>', 'where the receiver keeps its state')
      .choices(['leveldb', 'postgres', 'both'])
      .default('both'),
  )
  .option('--looks <n>', 'at a chain on which nothing happens', integer(1, 10_000), 30)
  .option('--warm <n>', 'payments of each of 60 further agents before', integer(1, 1000), 64)
  .option('--json', 'print one JSON object')
  .parse()
  .opts<Options>()

/** Agents that only warm up the receiver: whole blocks of openings. */
const warmAgents = 60

const tell = (done: string) => void process.stderr.write(`fleet: ${done}\n`)

async function measureStores({ channels, store, looks, warm }: Options) {
  const cache = fileURLToPath(new URL('../.cache', import.meta.url))
  await mkdir(cache, { recursive: true })
  const folder = await mkdtemp(join(cache, 'bench-fleet-'))
  const key = `0x${'22'.repeat(32)}`
  const receiver = addressOfKey(fromHex(key))
  const price = 5n
  const agents = await createAgents({
    ...{ domain: madeUp, receiver, price, channels: warmAgents + Math.max(...channels) },
    payments: (agent) => (agent < warmAgents ? warm : 2),
  })
  const proofs = new Map(
    agents.map(({ payments }, agent) => [
      payments.at(-1)?.['RDN-Balance-Signature']?.slice(0, 66),
      agent,
    ]),
  )
  const proved = (r: string) => proofs.get(r) ?? -1
  const ground = { folder, key, receiver, price, agents, warm: warmAgents, proved, looks, tell }
  try {
    const rows: FleetRow[] = []
    if (store !== 'postgres')
      rows.push(...(await ofSizes({ ...ground, server: undefined }, channels)))
    if (store !== 'leveldb') rows.push(...(await onPostgres(ground, channels)))
    return rows
  } finally {
    await rm(folder, { recursive: true })
  }
}

async function onPostgres(ground: Omit<Ground, 'server'>, channels: readonly number[]) {
  // What PostgreSQL has when nothing is said.
  const server = await startPostgres({ settings: { shared_buffers: '128MB' } })
  try {
    return await ofSizes({ ...ground, server }, channels)
  } finally {
    await server.remove()
  }
}

async function ofSizes(ground: Ground, channels: readonly number[]): Promise<FleetRow[]> {
  const rows: FleetRow[] = []
  for (const each of channels.toSorted((a, b) => a - b)) rows.push(await measureFleet(ground, each))
  return rows
}

function describe(rows: readonly FleetRow[]): string {
  const of = (name: StoreName) => rows.filter(({ store }) => store === name)
  const tables = (['leveldb', 'postgres'] as const)
    .filter((name) => of(name).length > 0)
    .map((name) => `${name}, of each channel, payment or look:\n${stageTable(of(name))}`)
  return [...tables, memoryTable(rows)].join('\n')
}

const rows = await measureStores(options)
process.stdout.write(
  options.json
    ? `${JSON.stringify({ goals: { startMs: 5000, heapBytes: 250e6 }, rows })}\n`
    : describe(rows),
)
