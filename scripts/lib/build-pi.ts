// ./scripts/build-pi: see its --help.
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { Argument, Command, Option } from 'commander'
import { isUraidenError, UraidenError } from '../../protocol/index.ts'
import { type Bundle, bundleAgent } from './build-pi/bundle.ts'
import { type Compression, writePackage } from './build-pi/debian.ts'
import { type PlatformName, platformNames, platformOf } from './build-pi/platforms.ts'
import { fetchRuntime } from './build-pi/runtime.ts'
import { checkout, sourceDate } from './build-pi/tools.ts'
import { writeTree } from './build-pi/tree.ts'

interface Options {
  readonly out: string
  readonly compression: Compression
  readonly tree?: true
  readonly verifyReproducible?: true
}

const program = new Command('build-pi')
  .description('Debian packages of uraiden-agent, from the npm registry alone')
  .addArgument(
    new Argument('[platforms...]', 'which').choices(platformNames).default(platformNames, 'all'),
  )
  .option('--out <folder>', 'where they go', join(checkout, 'dist-pi'))
  .option('--tree', 'only the folder of files, not packed')
  .addOption(
    new Option('--compression <how>', 'small takes minutes, fast is for trying')
      .choices(['small', 'fast'])
      .default('small'),
  )
  .option('--verify-reproducible', 'build twice, and fail unless the bytes are the same')
  .parse()

try {
  const bundle = await bundleAgent()
  const { version } = JSON.parse(await readFile(join(checkout, 'package.json'), 'utf8'))
  for (const name of program.processedArgs[0] as readonly PlatformName[]) {
    await make(name, bundle, version, program.opts<Options>())
  }
} catch (error) {
  if (!isUraidenError(error)) throw error
  process.stderr.write(`build-pi: ${error.message}\n${error.hint}   (${error.code})\n`)
  process.exitCode = 1
}

async function make(
  name: PlatformName,
  bundle: Bundle,
  version: string,
  options: Options,
): Promise<void> {
  const { compression, verifyReproducible } = options
  const out = resolve(options.out)
  await mkdir(out, { recursive: true })
  const build = async (into: string, made: Bundle) => {
    const platform = platformOf(name)
    const runtime = await fetchRuntime(platform)
    const folder = join(into, `tree-${name}`)
    const date = await sourceDate()
    const tree = await writeTree({ platform, runtime, bundle: made, version, folder, date })
    if (options.tree) return folder
    const file = await writePackage({ tree, platform, version, compression, into })
    await rm(folder, { recursive: true })
    return file
  }
  const first = await build(out, bundle)
  process.stdout.write(`${first}\n`)
  if (!verifyReproducible || options.tree) return
  const again = await mkdtemp(join(out, 'again-'))
  try {
    const second = await build(again, await bundleAgent())
    await demandSame(first, second)
    process.stdout.write(`  the same bytes twice, SHA-256 ${await digest(first)}\n`)
  } finally {
    await rm(again, { recursive: true })
  }
}

async function demandSame(first: string, second: string): Promise<void> {
  if ((await digest(first)) === (await digest(second))) return
  throw new UraidenError({
    code: 'build_differs',
    message: `${basename(first)} has other bytes when it is built again`,
    hint: 'diffoscope shows where; a time, an order or a folder of this machine has got into it.',
  })
}

async function digest(file: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(file))
    .digest('hex')
}
