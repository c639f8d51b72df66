// ./scripts/fuzz: see its --help. Coverage-guided: an input that makes new code run is kept and changed
// further. jazzer.js would do the same with libFuzzer; its binary needs glibc 2.38, newer than Debian 12.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { Command } from 'commander'
import { integer, oneOf } from '../../scripts/lib/shared/arguments.ts'
import { seededRandom } from '../lab/random/random.ts'
import { watchCoverage } from './coverage.ts'
import { mutate } from './mutate.ts'
import { onlyOurs, type Target, targets } from './targets.ts'

const options = new Command('./scripts/fuzz')
  .option('--seconds <n>', 'in all, shared by the targets', integer(1, 1_000_000), 60)
  .option('--seed <n>', 'of what is tried', integer(0, 2 ** 31), Date.now() % 2 ** 31)
  .option(
    '--target <name>',
    `only ${targets.map(({ name }) => name).join(', ')}`,
    oneOf(targets.map(({ name }) => name)),
  )
  .parse()
  .opts<{ seconds: number; seed: number; target?: string }>()
let lastError: unknown

const root = pathToFileURL(fileURLToPath(new URL('../../', import.meta.url))).href
const failures = fileURLToPath(new URL('../../.cache/fuzz/', import.meta.url))

process.exitCode = await run()

async function run(): Promise<number> {
  const { seconds, seed, target: only } = options
  const chosen = targets.filter(({ name }) => only === undefined || only === name)
  process.stdout.write(`seed ${seed}\n`)
  let failed = 0
  for (const target of chosen) {
    if (!(await fuzz(target, (seconds * 1000) / chosen.length))) failed++
  }
  return failed === 0 ? 0 : 1
}

/** True when nothing was found. */
async function fuzz(target: Target, milliseconds: number): Promise<boolean> {
  const folder = fileURLToPath(new URL(`./corpus/${target.name}/`, import.meta.url))
  const corpus: Buffer[] = readdirSync(folder).map((file) =>
    Buffer.from(readFileSync(join(folder, file))),
  )
  const random = seededRandom(options.seed)
  const coverage = await watchCoverage(root)
  for (const input of corpus) await attempt(target, input)
  await coverage.grew()
  const before = corpus.length
  const until = performance.now() + milliseconds
  let runs = 0
  let found: Buffer | undefined
  while (found === undefined && performance.now() < until) {
    // Coverage costs more than most inputs do, so several share one look at it.
    const inputs = Array.from({ length: 16 }, () => mutate({ corpus, words: target.words, random }))
    runs += inputs.length
    found = await firstThat(inputs, async (input) => !(await attempt(target, input)))
    if (found !== undefined || !(await coverage.grew())) continue
    corpus.push(...inputs.map((input) => Buffer.from(input)))
  }
  const blocks = coverage.blocks()
  coverage.stop()
  const kept = corpus.length - before
  process.stdout.write(`${target.name}: ${runs} inputs, ${blocks} blocks ran, ${kept} kept\n`)
  if (found !== undefined) report(target, found)
  return found === undefined
}

async function attempt({ run: parse }: Target, input: Buffer): Promise<boolean> {
  try {
    await parse(input)
    return true
  } catch (error) {
    try {
      onlyOurs(error)
      return true
    } catch {
      lastError = error
      return false
    }
  }
}

async function firstThat<Item>(
  items: readonly Item[],
  holds: (item: Item) => Promise<boolean>,
): Promise<Item | undefined> {
  for (const item of items) if (await holds(item)) return item
  return undefined
}

function report({ name }: Target, input: Buffer): void {
  mkdirSync(failures, { recursive: true })
  const file = join(failures, name)
  writeFileSync(file, input)
  const { message, stack = message } = lastError as Error
  process.stderr.write(`${name}: FOUND, see ${file}\n${stack}\n`)
}
