// ./scripts/bench receiver: paid against free requests over real HTTP, for each verifier.
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Command } from 'commander'
import { addressOfKey, fromHex } from '../protocol/index.ts'
import type { RecoveryName } from '../receiver/signatures/recovery.ts'
import { deployTestContracts, startEmbeddedChain } from '../test/lab/chains/embedded-chain.ts'
import { type Fleet, prepareState, writePayments } from './lib/receiver/channels.ts'
import { type Measurement, measure } from './lib/receiver/measure.ts'
import { hasWrk } from './lib/receiver/wrk.ts'

interface Options {
  readonly json?: true
  readonly seconds: string
  readonly connections: string
}

const options = new Command('receiver')
  .description('paid against free requests per second, bytes written, CPU, for each verifier')
  .option('--json', 'print one JSON object')
  .option(
    '--seconds <number>',
    'for the paid requests of each verifier, and for the free ones',
    '6',
  )
  .option('--connections <number>', 'at the same time', '64')
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

async function measureAll({ seconds, connections }: Options): Promise<readonly Measurement[]> {
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
    const payments = join(folder, 'payments')
    // More than any machine of today takes in that time.
    await writePayments(payments, fleet, 15_000 * Number(seconds))
    const block = await chain.provider.getBlock('latest')
    const head = { block: block?.number ?? 0, hash: (block?.hash ?? '0x') as `0x${string}` }
    const measured: Measurement[] = []
    for (const [index, variant] of variants.entries()) {
      const state = join(folder, `state-${index}`)
      await prepareState(state, fleet, head)
      const process = { ...variant, key, rpcUrl: chain.rpcUrl, contract, state, price }
      const run = { payments, folder, seconds: Number(seconds), connections: Number(connections) }
      measured.push(await measure({ receiver: process, ...run }))
    }
    return measured
  } finally {
    await chain.close()
    await rm(folder, { recursive: true })
  }
}

function table(measured: readonly Measurement[]): string {
  const rows = measured.map(({ verifier, threads, paidOverFree, bytesPerPayment, paid, free }) => {
    const cells = [
      `${verifier}, ${threads === 0 ? 'main thread' : `${threads} workers`}`,
      paidOverFree.toFixed(3),
      paid.requestsPerSecond.toFixed(0),
      free.requestsPerSecond.toFixed(0),
      `${paid.p50.toFixed(1)} / ${paid.p99.toFixed(1)}`,
      `${paid.cpu.toFixed(0)} / ${free.cpu.toFixed(0)}`,
      `${paid.mainThreadCpu.toFixed(0)} / ${free.mainThreadCpu.toFixed(0)}`,
      bytesPerPayment?.toFixed(0) ?? 'unknown',
    ]
    return `| ${cells.join(' | ')} |`
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
  return [`| ${head.join(' | ')} |`, `|${'---|'.repeat(head.length)}`, ...rows, ''].join('\n')
}

if (!(await hasWrk())) {
  process.stderr.write(
    'bench receiver: wrk is missing, so NOTHING WAS MEASURED.\nInstall it (Debian: apt-get install wrk) and run this again.\n',
  )
  process.exit(1)
}
const measured = await measureAll(options)
const [usual] = measured
process.stdout.write(
  options.json
    ? `${JSON.stringify({ goals: { paidOverFree: 0.25, bytesPerPayment: 500 }, ...usual, verifiers: measured })}\n`
    : table(measured),
)
