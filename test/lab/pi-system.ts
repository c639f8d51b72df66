// ./scripts/pi-system: see its --help, and docs/design/pi-system.md.
import { randomInt } from 'node:crypto'
import { join, resolve } from 'node:path'
import { Command, Option } from 'commander'
import { checkout } from '../../deploy/pi/packaging/tools.ts'
import { isUraidenError } from '../../protocol/index.ts'
import { integer } from '../../scripts/lib/shared/arguments.ts'
import { defaultMirror } from './pi-system/base.ts'
import type { Card } from './pi-system/install.ts'
import { type PowerCutResult, powerCuts } from './pi-system/power-cuts.ts'
import { prepare } from './pi-system/prepare.ts'
import { describeProofs } from './torture/paid-by.ts'

interface Options {
  readonly cuts: number
  readonly seed: number
  readonly card: Card
  readonly deb?: string
  readonly cache: string
  readonly mirror: string
  readonly json?: true
}

const options = new Command('pi-system')
  .description(
    'a Debian for arm64 with systemd in qemu: installs the package, buys, cuts the power in the middle of it, and does the sums',
  )
  .option('--cuts <number>', 'how often the power is cut', integer(0, 1000), 5)
  .option('--seed <number>', 'of the moments', integer(0, 2 ** 31), randomInt(2 ** 31))
  .addOption(
    new Option('--card <mode>', 'how the agent treats the card')
      .choices(['careful', 'gentle'])
      .default('careful'),
  )
  .option('--deb <file>', 'the package; built from this checkout when not given')
  .option('--cache <folder>', 'where the Debian system is kept', join(checkout, '.cache/pi-system'))
  .option('--mirror <url>', 'where it comes from', defaultMirror)
  .option('--json', 'print one JSON object at the end')
  .parse()
  .opts<Options>()

// So that the machines end with this program.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))

try {
  process.exitCode = await run(options)
} catch (error) {
  if (!isUraidenError(error)) throw error
  process.stderr.write(`pi-system: ${error.message}\n${error.hint}   (${error.code})\n`)
  process.exitCode = 1
}

async function run({ cuts, seed, card, deb, cache, mirror, json }: Options): Promise<number> {
  const say = (line: string) => process.stderr.write(`${line}\n`)
  const prepared = await prepare({ cache: resolve(cache), mirror, deb, say })
  const result = await powerCuts({ ...prepared, cuts, seed, card, say })
  process.stdout.write(json ? `${JSON.stringify(result)}\n` : describe(result))
  for (const trouble of result.troubles) process.stderr.write(`pi-system: ${trouble}\n`)
  return result.troubles.length === 0 ? 0 : 1
}

function describe(result: PowerCutResult): string {
  const { job, card } = result
  return [
    `${result.cuts} power cuts, seed ${result.seed}`,
    `served ${result.served}, claimed ${result.claimed}, signed ${result.signed}, reserved ${result.reserved}`,
    `lost ${result.lost}, paid twice ${result.paidTwice}; ${describeProofs(result)}`,
    `job: ${job.served} served, ${job.delivered} in its file, ${job.missing} missing, ${job.twice} twice`,
    `card: ${card.unflushed} sectors not flushed at the cuts, ${card.lost} of them lost`,
    `seconds from power on to the first payment: ${result.secondsToPaying.join(', ')}`,
    '',
  ].join('\n')
}
