// ./scripts/bench scale: what many channels in one store cost: a payment, a start, memory.
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Command } from 'commander'
import { addressOfKey, fromHex } from '../protocol/index.ts'
import { deployTestContracts, startEmbeddedChain } from '../test/lab/chains/embedded-chain.ts'
import type { Fleet } from './lib/receiver/channels.ts'
import { type Measurement, measure } from './lib/receiver/measure.ts'
import { hasWrk } from './lib/receiver/wrk.ts'
import { createSenders, prepareFleet, writeFleetPayments } from './lib/scale/fleet.ts'

interface Options {
  readonly json?: true
  readonly seconds: string
  readonly channels: string
}

interface Row extends Measurement {
  readonly channels: number
}

const options = new Command('scale')
  .description('cost of a payment, cold start and memory by the number of channels, a sender each')
  .option('--json', 'print one JSON object')
  .option('--seconds <number>', 'for the paid requests of each number', '4')
  .option('--channels <numbers>', 'with commas between', '10,1000,100000')
  .parse()
  .opts<Options>()

/** Fewer than the gaps that one channel may have: of ten channels all may wait for one. */
const connections = 64

const price = 5n

async function measureAll({ seconds, channels }: Options): Promise<readonly Row[]> {
  const cache = fileURLToPath(new URL('../.cache', import.meta.url))
  await mkdir(cache, { recursive: true })
  const folder = await mkdtemp(join(cache, 'bench-scale-'))
  const chain = await startEmbeddedChain()
  try {
    const { channelsAddress: contract } = await deployTestContracts(chain.wallet(0))
    const key = chain.accounts[1]?.privateKey ?? '0x'
    const receiver = addressOfKey(fromHex(key))
    const block = await chain.provider.getBlock('latest')
    const head = { block: block?.number ?? 0, hash: (block?.hash ?? '0x') as `0x${string}` }
    const rows: Row[] = []
    for (const number of channels.split(',').map(Number)) {
      const domain = { contract, chainId: chain.chainId }
      const fleet: Fleet = { domain, receiver, price, channels: number }
      const whole = { fleet, senders: await createSenders(fleet) }
      const state = join(folder, `state-${number}`)
      await prepareFleet(state, whole, head)
      const payments = join(folder, `payments-${number}`)
      // More than any machine of today takes in that time.
      await writeFleetPayments(payments, whole, 15_000 * Number(seconds))
      const process = { key, rpcUrl: chain.rpcUrl, contract, state, price }
      const run = { payments, folder, seconds: Number(seconds), connections }
      rows.push({ channels: number, ...(await measure({ receiver: process, ...run })) })
    }
    return rows
  } finally {
    await chain.close()
    await rm(folder, { recursive: true })
  }
}

function table(rows: readonly Row[]): string {
  const head = [
    'channels',
    'CPU µs a payment',
    'main thread µs',
    'paid/s',
    'start ms',
    'heap MB',
    'resident MB',
  ]
  const lines = rows.map(({ channels, paid, start }) => {
    const cells = [
      channels,
      paid.cpu.toFixed(0),
      paid.mainThreadCpu.toFixed(0),
      paid.requestsPerSecond.toFixed(0),
      start.milliseconds.toFixed(0),
      (start.heap / 1e6).toFixed(0),
      (start.resident / 1e6).toFixed(0),
    ]
    return `| ${cells.join(' | ')} |`
  })
  return [`| ${head.join(' | ')} |`, `|${'---|'.repeat(head.length)}`, ...lines, ''].join('\n')
}

if (!(await hasWrk())) {
  process.stderr.write(
    'bench scale: wrk is missing, so NOTHING WAS MEASURED.\nInstall it (Debian: apt-get install wrk) and run this again.\n',
  )
  process.exit(1)
}
const rows = await measureAll(options)
process.stdout.write(
  options.json
    ? `${JSON.stringify({ goals: { startMs: 5000, heapBytes: 250e6, paymentOverTen: 1.3 }, rows })}\n`
    : table(rows),
)
