// ./scripts/fuzz-trust: see its --help.
import { randomInt } from 'node:crypto'
import { Command, Option } from 'commander'
import { integer } from '../../scripts/lib/shared/arguments.ts'
import { type Fault, faults } from './trust/faults.ts'
import { type Played, play } from './trust/play.ts'
import { planOf } from './trust/schedule.ts'

interface Options {
  readonly runs: number
  readonly seconds?: number
  readonly seed: number
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
    new Option('--fault <name>', 'break the receiver, to see that it is found').choices(faults),
  )
  .option('--plan', 'print what would be done, and do nothing')
  .option('--json', 'print one JSON object at the end')
  .parse()
  .opts<Options>()

process.exitCode = await run(options)
// What was cut off in the middle may still have a connection.
process.exit()

async function run({ runs, seconds, seed, fault, plan, json }: Options): Promise<number> {
  const until = performance.now() + (seconds ?? Number.POSITIVE_INFINITY) * 1000
  const outcomes: { [outcome: string]: number } = {}
  const broken: Pick<Played, 'seed' | 'troubles'>[] = []
  const sums = { runs: 0, messages: 0, served: 0 }
  for (let each = seed; each < seed + runs && performance.now() < until; each++) {
    if (plan) {
      process.stdout.write(`${JSON.stringify(planOf(each))}\n`)
      continue
    }
    const played = await play(planOf(each), fault)
    sums.runs++
    sums.messages += played.messages
    sums.served += played.served
    for (const [name, count] of Object.entries(played.outcomes)) {
      outcomes[name] = (outcomes[name] ?? 0) + count
    }
    const troubles = [...new Set(played.troubles)]
    if (troubles.length === 0) continue
    broken.push({ seed: each, troubles })
    process.stderr.write(`seed ${each}\n${troubles.map((text) => `  BROKEN: ${text}\n`).join('')}`)
  }
  if (plan) return 0
  const result = { seed, ...sums, outcomes, broken }
  process.stdout.write(json ? `${JSON.stringify(result)}\n` : told(result))
  return broken.length === 0 ? 0 : 1
}

function told({
  seed,
  runs,
  messages,
  served,
  broken,
}: {
  readonly seed: number
  readonly runs: number
  readonly messages: number
  readonly served: number
  readonly broken: readonly unknown[]
}): string {
  return `${runs} runs from seed ${seed}: ${messages} messages, ${served} served, ${broken.length} runs with broken promises\n`
}
