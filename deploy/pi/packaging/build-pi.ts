// ./scripts/build-pi: see its --help.

import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { Argument, Command, Option } from 'commander'
import { version } from '../../../platform/system/version.ts'
import { isUraidenError } from '../../../protocol/index.ts'
import { oneOf, several } from '../../../scripts/lib/shared/arguments.ts'
import { toolError } from '../../../scripts/lib/shared/errors.ts'
import { type Bundle, bundleProgram } from './bundle.ts'
import { type Compression, writePackage } from './debian.ts'
import { isExecutable, writeExecutable } from './executable.ts'
import { type Platform, type PlatformName, platformNames, platformOf } from './platforms.ts'
import { type Program, type ProgramName, programNames, programOf } from './programs.ts'
import { fetchRuntime } from './runtime.ts'
import { checkout, sourceDate } from './tools.ts'
import { writeTree } from './tree.ts'

interface Options {
  readonly program?: readonly ProgramName[]
  readonly out: string
  readonly compression: Compression
  readonly tree?: true
  readonly executable?: true
  readonly verifyReproducible?: true
}

const program = new Command('build-pi')
  .description('Debian packages of uraiden-agent and uraiden-receiver, from the npm registry alone')
  .addArgument(
    new Argument('[platforms...]', 'which').choices(platformNames).default(platformNames, 'all'),
  )
  .addOption(
    new Option('--program <name>', 'which; may be given again')
      .choices(programNames)
      .argParser(several(oneOf(programNames)))
      .default(undefined, 'both, but the receiver not for armhf'),
  )
  .option('--out <folder>', 'where they go', join(checkout, 'dist-pi'))
  .option('--tree', 'only the folder of files, not packed')
  .option('--executable', 'a single executable instead: the agent, for 64 bits')
  .addOption(
    new Option('--compression <how>', 'small takes minutes, fast is for trying')
      .choices(['small', 'fast'])
      .default('small'),
  )
  .option('--verify-reproducible', 'build twice, and fail unless the bytes are the same')
  .parse()

try {
  const options = program.opts<Options>()
  await mkdir(resolve(options.out), { recursive: true })
  const isMade = options.executable ? isExecutable : () => true
  for (const name of options.program ?? programNames) {
    const made = programOf(name)
    const platforms = (program.processedArgs[0] as readonly PlatformName[])
      .filter((platform) => made.platforms.includes(platform))
      .filter((platform) => isMade(made, platformOf(platform)))
    await makeAll(made, platforms, options)
  }
} catch (error) {
  if (!isUraidenError(error)) throw error
  process.stderr.write(`build-pi: ${error.message}\n${error.hint}   (${error.code})\n`)
  process.exitCode = 1
}

async function makeAll(
  made: Program,
  platforms: readonly PlatformName[],
  options: Options,
): Promise<void> {
  const bundle = await bundleProgram(made)
  for (const name of platforms) {
    await make({ program: made, platform: platformOf(name), bundle }, options)
  }
}

interface Made {
  readonly program: Program
  readonly platform: Platform
  readonly bundle: Bundle
}

async function make(made: Made, options: Options): Promise<void> {
  const out = resolve(options.out)
  const first = await build(made, options, out)
  process.stdout.write(`${first}\n`)
  if (!options.verifyReproducible || options.tree) return
  const again = await mkdtemp(join(out, 'again-'))
  try {
    const bundle = await bundleProgram(made.program)
    const second = await build({ ...made, bundle }, options, again)
    await demandSame(first, second)
    process.stdout.write(`  the same bytes twice, SHA-256 ${await digest(first)}\n`)
  } finally {
    await rm(again, { recursive: true })
  }
}

/** The path of what was made. */
async function build(made: Made, options: Options, into: string): Promise<string> {
  const { program, platform } = made
  const { tree: unpacked, executable, compression } = options
  if (executable) return writeExecutable({ program, platform, version, into })
  const runtime = await fetchRuntime(platform)
  const folder = join(into, `tree-${program.package}-${platform.name}`)
  const tree = await writeTree({ ...made, runtime, version, folder, date: await sourceDate() })
  if (unpacked) return folder
  const file = await writePackage({ tree, program, platform, version, compression, into })
  await rm(folder, { recursive: true })
  return file
}

async function demandSame(first: string, second: string): Promise<void> {
  if ((await digest(first)) === (await digest(second))) return
  throw toolError({
    code: 'build_differs',
    message: `${basename(first)} has other bytes when it is built again`,
  })
}

async function digest(file: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(file))
    .digest('hex')
}
