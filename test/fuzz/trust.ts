// ./scripts/fuzz-trust: see its --help.
import { randomInt } from 'node:crypto'
import { Command, Option } from 'commander'
import { integer } from '../../scripts/lib/shared/arguments.ts'
import { describeProofs, judgeProofs, type ProofCounts } from '../lab/torture/paid-by.ts'
import { type Fault, faults } from './trust/faults.ts'
import { type Played, play } from './trust/play.ts'
import { planOf } from './trust/schedule.ts'

interface Options {
  readonly runs: number
  readonly seconds?: number
  readonly seed: number
  readonly ticks: 'on' | 'off'
  readonly fault?: Fault
  readonly plan?: true
  readonly json?: true
}

const options = new Command('fuzz-trust')
  .description(
    'an agent buys from a receiver through somebody who sees, changes, repeats and loses messages and asks the receiver for what everybody may; then everything is counted',
  )
  .option('--runs <number>', 'how many runs', integer(1, 10_000_000), 100)
  .option('--seconds <number>', 'begin no run after so many', integer(1, 1_000_000))
  .option(
    '--seed <number>',
    'of the first run; each next one has the next number. A run is repeated with --runs 1 and its seed',
    integer(0, 2 ** 31),
    randomInt(2 ** 31),
  )
  .addOption(
    new Option('--ticks <how>', 'whether the contract knows ticks')
      .choices(['on', 'off'])
      .default('on'),
  )
  .addOption(
    new Option('--fault <name>', 'break the receiver, to see that it is found').choices(faults),
  )
  .option('--plan', 'print what would be done, and do nothing')
  .option('--json', 'print one JSON object at the end')
  .parse()
  .opts<Options>()

process.exitCode = await run(options)
// What was cut off in the middle may still have a connection.
process.exit()

async function run({ runs, seconds, seed, ticks, fault, plan, json }: Options): Promise<number> {
  const until = performance.now() + (seconds ?? Number.POSITIVE_INFINITY) * 1000
  const outcomes: { [outcome: string]: number } = {}
  const broken: Pick<Played, 'seed' | 'troubles'>[] = []
  const cheats: { [kind: string]: number } = {}
  const sums = { runs: 0, messages: 0, served: 0, servedToCheat: 0, runsWithTicks: 0 }
  const proofs = { byTick: 0, bySignature: 0, byNothing: 0 }
  const hasTicks = ticks === 'on'
  for (let each = seed; each < seed + runs && performance.now() < until; each++) {
    if (plan) {
      process.stdout.write(`${JSON.stringify(planOf(each, hasTicks))}\n`)
      continue
    }
    const played = await play(planOf(each, hasTicks), fault)
    sums.runs++
    sums.messages += played.messages
    sums.served += played.served
    sums.servedToCheat += played.servedToCheat
    if (played.byTick > 0) sums.runsWithTicks++
    for (const name of ['byTick', 'bySignature', 'byNothing'] as const) proofs[name] += played[name]
    addTo(outcomes, played.outcomes)
    addTo(cheats, played.cheats)
    const troubles = [...new Set(played.troubles)]
    if (troubles.length === 0) continue
    broken.push({ seed: each, troubles })
    process.stderr.write(`seed ${each}\n${troubles.map((text) => `  BROKEN: ${text}\n`).join('')}`)
  }
  if (plan) return 0
  const missing = hasTicks ? judgeProofs(proofs) : []
  for (const each of missing) process.stderr.write(`fuzz-trust: ${each}\n`)
  const result = { seed, ...sums, ...proofs, outcomes, cheats, broken }
  process.stdout.write(json ? `${JSON.stringify(result)}\n` : told(result))
  return broken.length + missing.length === 0 ? 0 : 1
}

function addTo(
  sums: { [name: string]: number },
  counts: { readonly [name: string]: number },
): void {
  for (const [name, count] of Object.entries(counts)) sums[name] = (sums[name] ?? 0) + count
}

function told(
  result: ProofCounts & {
    readonly seed: number
    readonly runs: number
    readonly messages: number
    readonly served: number
    readonly broken: readonly unknown[]
  },
): string {
  const { seed, runs, messages, served, broken } = result
  return `${runs} runs from seed ${seed}: ${messages} messages, ${served} served, ${describeProofs(result)}, ${broken.length} runs with broken promises\n`
}
