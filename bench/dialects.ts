// ./scripts/bench dialects: what one payment costs in each dialect that we speak, with ours and with stock programs of
// x402, in one run on one machine and one chain. The stock packages are in bench/peers.
import { fork } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Command } from 'commander'
import { installOwnPackages } from '../scripts/lib/shared/own-packages.ts'
import {
  deployTestContracts,
  type EmbeddedChain,
  startEmbeddedChain,
} from '../test/lab/chains/embedded-chain.ts'
import { measurePair, type Pair, type PairCost, said } from './lib/bound/pair.ts'
import { deployDollar } from './lib/dialects/dollar.ts'
import { cell, markdownTable } from './lib/table.ts'

const options = new Command('dialects')
  .description('what a payment costs in each dialect, in one run')
  .option('--json', 'print one JSON object')
  .option(
    '--payments <number>',
    'by channel; with x402 exact, which waits for blocks, a tenth',
    '500',
  )
  .parse()
  .opts<{ readonly json?: true; readonly payments: string }>()

const peers = fileURLToPath(new URL('peers', import.meta.url))
const ofOurs = (name: string) => fileURLToPath(new URL(`lib/dialects/${name}`, import.meta.url))
const scheme = fileURLToPath(new URL('../x402.ts', import.meta.url))

/** What is undefined was not measured. */
interface Row extends Partial<PairCost> {
  readonly system: string
  /** Of all transactions of both sides, from the first payment to the closed channel. */
  readonly gas?: number
  readonly note: string
}

interface Stage {
  readonly chain: EmbeddedChain
  readonly contract: string
  readonly asset: string
  readonly folder: string
}

/** Payments before those that are measured. */
const warmUps = 10

async function prepare(folder: string): Promise<Stage> {
  const chain = await startEmbeddedChain()
  const { channelsAddress: contract, token } = await deployTestContracts(chain.wallet(0))
  const buyer = chain.wallet(2).address
  await (await token.getFunction('transfer(address,uint256)')(buyer, 10n ** 12n)).wait()
  const asset = await deployDollar(chain, buyer)
  return { chain, contract, asset, folder }
}

function keyOf({ chain }: Stage, account: number): string {
  const { privateKey } = chain.accounts[account] ?? {}
  if (privateKey === undefined) throw new Error('no account')
  return privateKey
}

async function measure(
  stage: Stage,
  given: Pick<Row, 'system' | 'note'>,
  pair: Pair,
  payments: number,
): Promise<Row> {
  const { provider } = stage.chain
  const first = await provider.getBlockNumber()
  const cost = await measurePair(pair, payments)
  const last = await provider.getBlockNumber()
  let gas = 0n
  for (let block = first + 1; block <= last; block++) {
    gas += (await provider.getBlock(block))?.gasUsed ?? 0n
  }
  return { ...given, ...cost, gas: Number(gas) / (payments + warmUps) }
}

let receivers = 0

function ourReceiver({ chain, contract, asset, folder, ...rest }: Stage) {
  const key = keyOf({ chain, contract, asset, folder, ...rest }, 1)
  const state = join(folder, `receiver-${receivers++}`)
  return fork(ofOurs('receiver-process.ts'), [chain.rpcUrl, contract, asset, key, state])
}

function ourAgent(stage: Stage, mode: string, payments: number) {
  const { chain, contract, asset, folder } = stage
  const key = keyOf(stage, 2)
  return (base: string) =>
    fork(ofOurs('agent-process.ts'), [
      ...[mode, base, chain.rpcUrl, contract, asset, key],
      ...[join(folder, `agent-${mode}-${receivers}`), `${payments}`],
    ])
}

function stockAgent(stage: Stage, payments: number) {
  return (base: string) =>
    fork(join(peers, 'x402-agent.js'), [keyOf(stage, 2), base, `${payments}`])
}

function channelsAgent(stage: Stage, payments: number) {
  const { chain, contract, folder } = stage
  const store = join(folder, 'stock-channels')
  return (base: string) =>
    fork(join(peers, 'x402-channels-agent.js'), [
      ...[scheme, base, chain.rpcUrl, contract, keyOf(stage, 2), store, `${payments}`],
    ])
}

/** A stock seller, with its facilitator beside it. */
async function withStockSeller<Value>(
  stage: Stage,
  run: (receiver: Pair['receiver']) => Promise<Value>,
): Promise<Value> {
  const facilitator = fork(join(peers, 'x402-facilitator.js'), [
    stage.chain.rpcUrl,
    keyOf(stage, 3),
  ])
  try {
    const url = await said<string>(facilitator)
    const payTo = stage.chain.wallet(1).address
    return await run(() =>
      fork(join(peers, 'x402-receiver.js'), [url, stage.asset, payTo, 'Test Dollar', '2']),
    )
  } finally {
    facilitator.kill()
  }
}

/** What does not run is a row that says why. */
async function row(system: string, run: () => Promise<Row>): Promise<Row> {
  try {
    return await run()
  } catch (error) {
    return { system, note: `NOT MEASURED: ${error instanceof Error ? error.message : error}` }
  }
}

function byChannel(stage: Stage, payments: number): readonly (() => Promise<Row>)[] {
  const ours = (system: string, mode: string, note: string) => () =>
    row(system, () =>
      measure(
        stage,
        { system, note },
        { receiver: () => ourReceiver(stage), agent: ourAgent(stage, mode, payments) },
        payments,
      ),
    )
  const system = 'x402 uraiden, stock client, our receiver'
  return [
    ours('RDN signed, unbound', 'unbound', 'gas: opening and closing'),
    ours('RDN signed, bound', 'bound', 'gas: opening and closing'),
    ours('RDN ticks, bound', 'ticks', 'gas: opening and closing'),
    () =>
      row(system, () =>
        measure(
          stage,
          { system, note: 'gas: opening and closing' },
          { receiver: () => ourReceiver(stage), agent: channelsAgent(stage, payments) },
          payments,
        ),
      ),
  ]
}

function byExact(stage: Stage, payments: number): readonly (() => Promise<Row>)[] {
  const pair = (system: string, note: string, made: Pair) => () =>
    row(system, () => measure(stage, { system, note }, made, payments))
  const own = () => ourReceiver(stage)
  const stock = (system: string, agent: Pair['agent']) => () =>
    row(system, () =>
      withStockSeller(stage, (receiver) =>
        measure(
          stage,
          { system, note: 'the facilitator’s CPU is not counted' },
          { receiver, agent },
          payments,
        ),
      ),
    )
  return [
    pair('x402 exact, our agent, our receiver', 'settles itself', {
      receiver: own,
      agent: ourAgent(stage, 'x402', payments),
    }),
    pair('x402 exact, stock client, our receiver', 'settles itself', {
      receiver: own,
      agent: stockAgent(stage, payments),
    }),
    stock('x402 exact, our agent, stock server', ourAgent(stage, 'x402', payments)),
    stock('x402 exact, stock client, stock server', stockAgent(stage, payments)),
  ]
}

function table(rows: readonly Row[]): string {
  const head = [
    ...['a payment', 'a second, one after the other', 'round trips', 'agent CPU µs'],
    ...['receiver CPU µs', 'bytes sent', 'bytes back', 'gas', ''],
  ]
  return markdownTable(
    head,
    rows.map((each) => {
      const { system, agent, receiver, sent, received, roundTrips, perSecond, gas, note } = each
      const costs = [agent, receiver, sent, received, gas].map((value) => cell(value))
      return [system, cell(perSecond, 1), cell(roundTrips, 2), ...costs, note]
    }),
  )
}

installOwnPackages(peers)
const payments = Number(options.payments)
const folder = await mkdtemp(join(tmpdir(), 'uraiden-bench-dialects-'))
const stage = await prepare(folder)
try {
  const rows: Row[] = []
  const runs = [...byChannel(stage, payments), ...byExact(stage, Math.ceil(payments / 10))]
  for (const run of runs) {
    const measured = await run()
    process.stderr.write(
      `${measured.system}: ${measured.gas === undefined ? measured.note : 'done'}\n`,
    )
    rows.push(measured)
  }
  process.stdout.write(
    options.json ? `${JSON.stringify({ node: process.version, payments, rows })}\n` : table(rows),
  )
} finally {
  await stage.chain.close()
  await rm(folder, { recursive: true, force: true })
}
