// ./scripts/bench receiver: paid against free requests over real HTTP, for each verifier, and by ticks.
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Command, Option } from 'commander'
import { addressOfKey, fromHex } from '../protocol/index.ts'
import type { SyncPosition } from '../receiver/channels/history.ts'
import type { RecoveryName } from '../receiver/signatures/recovery.ts'
import { deployTestContracts, startEmbeddedChain } from '../test/lab/chains/embedded-chain.ts'
import type { ProcessOptions } from '../test/lab/processes/receiver-process.ts'
import { type Fleet, prepareState, writePayments } from './lib/receiver/channels.ts'
import { type Measurement, measure } from './lib/receiver/measure.ts'
import {
  type Measured as MeasuredStore,
  measureShared,
  type SharedRow,
} from './lib/receiver/shared.ts'
import { prepareBoundState, writeTickPayments } from './lib/receiver/tick-payments.ts'
import { hasWrk } from './lib/receiver/wrk.ts'
import { cell, markdownTable } from './lib/table.ts'

interface Options {
  readonly json?: true
  readonly usual?: true
  readonly store: 'leveldb' | 'postgres'
  readonly seconds: string
  readonly connections: string
  readonly channels: string
}

const options = new Command('receiver')
  .description('paid against free requests per second, bytes written, CPU, for each verifier')
  .option('--json', 'print one JSON object')
  .option('--usual', 'no other verifiers than the one that is taken when nothing is configured')
  .option(
    '--seconds <number>',
    'for the paid requests of each verifier, and for the free ones',
    '6',
  )
  .option('--connections <number>', 'at the same time', '64')
  .option('--channels <number>', 'with --store postgres: of the rows with many channels', '100000')
  .addOption(
    new Option(
      '--store <name>',
      'postgres: 1, 2 and 3 receivers on a server that is started, beside LevelDB',
    )
      .choices(['leveldb', 'postgres'])
      .default('leveldb'),
  )
  .parse()
  .opts<Options>()

interface Variant {
  readonly verifier?: RecoveryName
  readonly verifierThreads?: number
}

/** The first is what a receiver does when nothing is configured. */
const variants: readonly Variant[] = [
  {},
  { verifier: 'native', verifierThreads: 0 },
  { verifier: 'native', verifierThreads: 1 },
  { verifier: 'wasm', verifierThreads: 0 },
  { verifier: 'wasm', verifierThreads: 2 },
  { verifier: 'js', verifierThreads: 2 },
]

const price = 5n

interface Measured {
  /** For each verifier. */
  readonly signed: readonly Measurement[]
  /** Bound requests, with the verifier that is usual. */
  readonly ticks: Measurement
}

interface Ground {
  readonly folder: string
  readonly fleet: Fleet
  readonly head: SyncPosition
  readonly own: Pick<ProcessOptions, 'key' | 'rpcUrl' | 'contract' | 'price'>
  /** More payments than any machine of today takes in that time. */
  readonly most: number
}

async function onGround<Found>(
  { seconds }: Options,
  use: (ground: Ground) => Promise<Found>,
): Promise<Found> {
  // In the checkout and not in /tmp, which is often no disk.
  const cache = fileURLToPath(new URL('../.cache', import.meta.url))
  await mkdir(cache, { recursive: true })
  const folder = await mkdtemp(join(cache, 'bench-receiver-'))
  const chain = await startEmbeddedChain()
  try {
    const { channelsAddress: contract } = await deployTestContracts(chain.wallet(0))
    const key = chain.accounts[1]?.privateKey ?? '0x'
    const receiver = addressOfKey(fromHex(key))
    const domain = { contract, chainId: chain.chainId }
    const fleet: Fleet = { domain, receiver, price, channels: 1024 }
    const block = await chain.provider.getBlock('latest')
    const head = { block: block?.number ?? 0, hash: (block?.hash ?? '0x') as `0x${string}` }
    const own = { key, rpcUrl: chain.rpcUrl, contract, price }
    return await use({ folder, fleet, head, own, most: 15_000 * Number(seconds) })
  } finally {
    await chain.close()
    await rm(folder, { recursive: true })
  }
}

function measureAll(options: Options): Promise<Measured> {
  const { seconds, connections, usual } = options
  return onGround(options, async ({ folder, fleet, head, own, most }) => {
    const payments = join(folder, 'payments')
    await writePayments(payments, fleet, most)
    const run = { folder, seconds: Number(seconds), connections: Number(connections) }
    const signed: Measurement[] = []
    for (const [index, variant] of variants.slice(0, usual && 1).entries()) {
      const state = join(folder, `state-${index}`)
      await prepareState(state, fleet, head)
      signed.push(await measure({ receiver: { ...variant, ...own, state }, payments, ...run }))
    }
    const state = join(folder, 'state-ticks')
    const keysOf = await prepareBoundState(state, fleet, head)
    const byTicks = join(folder, 'ticks')
    await writeTickPayments(byTicks, { ...fleet, keysOf }, most)
    const ticks = await measure({
      receiver: { ...own, state },
      payments: byTicks,
      first: `${byTicks}.first`,
      ...run,
    })
    return { signed, ticks }
  })
}

function measureStores(options: Options): Promise<readonly SharedRow[]> {
  const run = { seconds: Number(options.seconds), connections: Number(options.connections) }
  // It takes minutes.
  const tell = ({ ground, store, processes, ...row }: MeasuredStore) =>
    void process.stderr.write(`${ground}, ${store}, ${processes}: ${JSON.stringify(row)}\n`)
  return onGround(options, (ground) =>
    measureShared({
      ...ground,
      ...run,
      // With those before the clock runs.
      most: 8192 + 8000 * run.seconds,
      many: Number(options.channels),
      tell,
    }),
  )
}

const goalsOfStores = { oneOfLevelDb: 0.85, severalOfLevelDb: 0.9 }

function tableOfStores(rows: readonly SharedRow[]): string {
  const head = [
    'channels',
    'store, processes',
    'payments/s',
    'of LevelDB',
    'by CPU',
    'p99 ms',
    'CPU µs Node',
    'CPU µs PostgreSQL',
    'WAL bytes',
    'commits',
  ]
  const lines = rows.map(({ ground, store, processes, paymentsPerSecond, ofLevelDb, ...each }) => {
    return [
      ground,
      `${store}, ${processes}`,
      paymentsPerSecond.toFixed(0),
      ofLevelDb.toFixed(2),
      each.cpuOfLevelDb.toFixed(2),
      each.p99.toFixed(1),
      each.nodeCpu.toFixed(0),
      each.postgresCpu.toFixed(0),
      cell(each.walBytes),
      cell(each.commits, 3),
    ]
  })
  return markdownTable(head, lines)
}

function table({ signed, ticks }: Measured): string {
  const named = signed.map((each) => ({
    ...each,
    name: `${each.verifier}, ${each.threads === 0 ? 'main thread' : `${each.threads} workers`}`,
  }))
  const all = [...named, { ...ticks, name: 'ticks, bound' }]
  const rows = all.map(({ name, paidOverFree, bytesPerPayment, paid, free }) => {
    return [
      name,
      paidOverFree.toFixed(3),
      paid.requestsPerSecond.toFixed(0),
      free.requestsPerSecond.toFixed(0),
      `${paid.p50.toFixed(1)} / ${paid.p99.toFixed(1)}`,
      `${paid.cpu.toFixed(0)} / ${free.cpu.toFixed(0)}`,
      `${paid.mainThreadCpu.toFixed(0)} / ${free.mainThreadCpu.toFixed(0)}`,
      bytesPerPayment?.toFixed(0) ?? 'unknown',
    ]
  })
  const head = [
    'verifier',
    'paid/free',
    'paid/s',
    'free/s',
    'paid p50 / p99 ms',
    'CPU µs paid / free',
    'main thread µs paid / free',
    'bytes/payment',
  ]
  return markdownTable(head, rows)
}

if (!(await hasWrk())) {
  process.stderr.write(
    'bench receiver: wrk is missing, so NOTHING WAS MEASURED.\nInstall it (Debian: apt-get install wrk) and run this again.\n',
  )
  process.exit(1)
}
if (options.store === 'postgres') {
  const rows = await measureStores(options)
  process.stdout.write(
    options.json
      ? `${JSON.stringify({ goals: goalsOfStores, stores: rows })}\n`
      : tableOfStores(rows),
  )
  process.exit(0)
}
const measured = await measureAll(options)
const [usual] = measured.signed
const goals = {
  signed: { paidOverFree: 0.25, bytesPerPayment: 400 },
  ticks: { paidOverFree: 0.4, bytesPerPayment: 300 },
}
process.stdout.write(
  options.json
    ? `${JSON.stringify({ goals, signed: usual, ticks: measured.ticks, verifiers: measured.signed })}\n`
    : table(measured),
)
