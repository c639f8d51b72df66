// ./scripts/faults: see its --help.
import { randomInt } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command, Option } from 'commander'
import { isUraidenError } from '../../protocol/index.ts'
import { integer } from '../../scripts/lib/shared/arguments.ts'
import { startLabPostgres } from './faults/database.ts'
import { canMount } from './faults/disk.ts'
import { startLabEmbedded, startLabGeth } from './faults/lab-chain.ts'
import { type Played, play } from './faults/play.ts'
import { type Means, onDatabase, type Plan, planOf, stretched } from './faults/schedule.ts'
import type { Ground } from './faults/stage.ts'
import { installGeth } from './geth/binary.ts'
import { describeProofs, judgeProofs, type ProofCounts } from './torture/paid-by.ts'

interface Options {
  readonly runs: number
  readonly seed: number
  readonly stretch: number
  readonly geth?: true
  readonly store: 'leveldb' | 'postgres'
  readonly plan?: true
  readonly json?: true
}

const options = new Command('faults')
  .description(
    'lets links, disks, clocks and processes fail between an agent, a receiver and a chain, then checks every token',
  )
  .option('--runs <number>', 'how many runs', integer(1, 1_000_000), 5)
  .option(
    '--seed <number>',
    'of the first run; each next one has the next number. A run is repeated with --runs 1 and its seed',
    integer(0, 2 ** 31),
    randomInt(2 ** 31),
  )
  .option(
    '--stretch <times>',
    'how many times as long a run takes: more is paid on a machine with much else to do',
    integer(1, 100),
    1,
  )
  .option('--geth', 'on a real geth that is killed too, instead of the embedded chain')
  .addOption(
    new Option('--store <name>', 'what the receiver keeps its state in; a server is started')
      .choices(['leveldb', 'postgres'])
      .default('leveldb'),
  )
  .option('--plan', 'print what would go wrong, and do nothing')
  .option('--json', 'print one JSON object at the end')
  .parse()
  .opts<Options>()

try {
  process.exitCode = await run(options)
} catch (error) {
  if (!isUraidenError(error)) throw error
  process.stderr.write(`faults: ${error.message}\n${error.hint}   (${error.code})\n`)
  process.exitCode = 1
}

async function run({ runs, seed, stretch, geth, store, plan, json }: Options): Promise<number> {
  const means = await meansHere(geth === true)
  const plans = Array.from({ length: runs }, (_, index) => {
    const each = planOf(seed + index, means)
    return stretched(store === 'postgres' ? onDatabase(each) : each, stretch)
  })
  if (plan) {
    for (const each of plans) process.stdout.write(`${JSON.stringify(each)}\n`)
    return 0
  }
  const chain = geth
    ? await startLabGeth(await installGeth((line) => process.stderr.write(`${line}\n`)))
    : await startLabEmbedded()
  const postgres = store === 'postgres' ? await startLabPostgres() : undefined
  const played: Played[] = []
  try {
    for (const each of plans) played.push(await tell({ chain, postgres }, each, means))
  } finally {
    await chain.close()
    await postgres?.close()
  }
  const broken = played.filter(({ troubles }) => troubles.length > 0)
  const proofs = proofsOf(played)
  const told = `${runs} runs from seed ${seed}, ${broken.length} with broken promises`
  if (json) process.stdout.write(`${JSON.stringify({ store, ...summary(seed, means, played) })}\n`)
  else process.stdout.write(`${told}; ${describeProofs(proofs)}\n`)
  const missing = judgeProofs(proofs)
  for (const each of missing) process.stderr.write(`faults: ${each}\n`)
  return broken.length + missing.length === 0 ? 0 : 1
}

/** Of all runs: what ends early may be paid by signature alone. */
function proofsOf(played: readonly Played[]): ProofCounts {
  const sum = (of: (each: Played) => number) => played.reduce((all, each) => all + of(each), 0)
  return {
    byTick: sum(({ byTick }) => byTick),
    bySignature: sum(({ bySignature }) => bySignature),
    byNothing: sum(({ byNothing }) => byNothing),
  }
}

async function tell(ground: Ground, plan: Plan, means: Means): Promise<Played> {
  const { seed } = plan
  const result = await play(ground, plan, means)
  const { served, claimed, proven, deposit, milliseconds, troubles, exits } = result
  const sums = `served ${served}, claimed ${claimed}, proven ${proven}, deposit ${deposit}`
  const seconds = (milliseconds / 1000).toFixed(1)
  process.stderr.write(`seed ${seed}   ${sums}; ${describeProofs(result)}   ${seconds} s\n`)
  for (const each of exits) process.stderr.write(`  ended by itself: ${each.trim()}\n`)
  for (const trouble of troubles) process.stderr.write(`  BROKEN: ${trouble}\n`)
  return result
}

async function meansHere(killChain: boolean): Promise<Means> {
  const folder = await mkdtemp(join(tmpdir(), 'uraiden-faults-'))
  const fullDisk = await canMount(folder)
  await rm(folder, { recursive: true, force: true })
  if (!fullDisk) process.stderr.write('faults: no mount without root, so no disk gets full\n')
  return { fullDisk, killChain }
}

function summary(seed: number, means: Means, played: readonly Played[]): object {
  const faults: Record<string, number> = {}
  for (const each of played) {
    for (const [kind, count] of Object.entries(each.faults)) {
      faults[kind] = (faults[kind] ?? 0) + count
    }
  }
  const sum = (of: (each: Played) => string) =>
    played.reduce((all, each) => all + BigInt(of(each)), 0n).toString()
  return {
    runs: played.length,
    seed,
    means,
    seconds: Math.round(played.reduce((all, { milliseconds }) => all + milliseconds, 0) / 1000),
    faults,
    served: sum(({ served }) => served),
    claimed: sum(({ claimed }) => claimed),
    proven: sum(({ proven }) => proven),
    deposit: sum(({ deposit }) => deposit),
    ...proofsOf(played),
    runsWithTicks: played.filter(({ byTick }) => byTick > 0).length,
    endedByThemselves: played.flatMap(({ seed: of, exits }) =>
      exits.map((words) => ({ seed: of, words })),
    ),
    broken: played
      .filter(({ troubles }) => troubles.length > 0)
      .map(({ seed: of, troubles }) => ({ seed: of, troubles })),
  }
}
