// What V8 makes of the program, made by the Node of the package when that is built: the daemon, and commands beside it,
// start with it.
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { readerCommand } from '../../../agent/cli/commands/reader-command.ts'
import type { Milliseconds } from '../../../platform/time/clock.ts'
import { toolError } from '../../../scripts/lib/shared/errors.ts'
import { cacheOf } from './parts.ts'
import type { Platform } from './platforms.ts'
import { startStandIn } from './stand-in.ts'
import { checkout, tool } from './tools.ts'
import { writeUsualState } from './usual-state.ts'

export interface CacheOptions {
  /** What runs Node, and Node. */
  readonly command: readonly string[]
  /** With the program's files now, and when it is installed. */
  readonly folder: string
  readonly installed: string
  /** A file for that Node: caching.ts. */
  readonly maker: string
  /** As the service has them: V8 takes a cache only with the flags it was made with. */
  readonly nodeOptions: string
}

/** Magic number, version, source and flags, of four bytes each. */
const identity = 16

/**
 * Make code whose bytes depend on nothing but the source: they count as flags. V8 forgets code that is not used for
 * some collections of garbage, and notes what it has made machine code of: when, depends on time.
 */
const steady = ['--hash-seed=1', '--no-flush-bytecode', '--jitless']

/**
 * Contents by file, relative to the folder; the same each time. Empty where it would not be taken.
 * @throws UraidenError build_tool_failed
 */
export async function compileCache(options: CacheOptions): Promise<ReadonlyMap<string, Buffer>> {
  // Sockets are in it, whose paths may have about a hundred letters.
  const work = await mkdtemp(join(tmpdir(), 'uraiden-cache-'))
  try {
    const { file, state, environment } = await writeUsualState(work)
    const inWork = { ...options, work, environment }
    const standIn = await startStandIn(join(work, file), join(work, state))
    const ofCommands = await madeBy({ ...inWork, nodeOptions: '' }, commandsOf(file))
    await standIn.close()
    // What has just been written is not trusted to be what was read.
    await sleep(settled)
    // What reads the configuration would be as much again in the package, and is run when something has changed.
    await runMaker(inWork, [], [readerCommand, file])
    const ofDaemon = await madeBy(inWork, [['--config', file, 'run']])
    return new Map([...ofCommands, ...ofDaemon])
  } finally {
    await rm(work, { recursive: true })
  }
}

/** As in agent/program/configuration/kept.ts, and a little more. */
const settled: Milliseconds = 2200

/** What a person runs beside the daemon. */
function commandsOf(file: string): readonly Arguments[] {
  const given = ['--config', file]
  return [['--help'], [...given, 'status'], [...given, 'get', 'shop/reading']]
}

type Arguments = readonly string[]

interface CacheMaking extends CacheOptions {
  readonly work: string
  readonly environment: NodeJS.ProcessEnv
}

/** Of a file that several of them load, what the last one has run. */
async function madeBy(
  making: CacheMaking,
  runs: readonly Arguments[],
): Promise<ReadonlyMap<string, Buffer>> {
  const { nodeOptions: NODE_OPTIONS } = making
  const files = new Map<string, Buffer>()
  for (const used of runs) {
    const [own, same] = [await runMaker(making, [], used), await madeTwice(making, used)]
    for (const { file, data } of same) {
      const begin = own.find((each) => each.file === file)?.data.subarray(0, identity)
      if (begin === undefined) continue
      const name = basename(cacheOf(file, { NODE_OPTIONS }))
      files.set(name, Buffer.concat([begin, data.subarray(identity)]))
    }
  }
  return files
}

/**
 * What two runs agree on. V8 numbers functions as it compiles them, Node's own among them, of which one more or less may
 * have run: one time in ten on a busy machine.
 */
async function madeTwice(making: CacheMaking, used: Arguments): Promise<readonly MadeByNode[]> {
  const seen = new Set<string>()
  for (let run = 1; ; run++) {
    const made = await runMaker(making, steady, used)
    const bytes = createHash('sha256')
    for (const { file, data } of made) bytes.update(`${file} ${data.length} `).update(data)
    const digest = bytes.digest('hex')
    if (seen.has(digest)) return made
    if (run === mostRuns) {
      throw toolError({
        code: 'build_tool_failed',
        message: `V8 made something else of "${used.join(' ')}" each of ${run} times`,
        hint: 'Build it while the machine does less.',
      })
    }
    seen.add(digest)
  }
}

const mostRuns = 10

interface MadeByNode {
  readonly file: string
  readonly data: Buffer
}

async function runMaker(
  { command: [program = '', ...before], folder, installed, maker, ...making }: CacheMaking,
  flags: readonly string[],
  used: Arguments,
): Promise<readonly MadeByNode[]> {
  const { work, environment, nodeOptions } = making
  const into = join(work, 'made.json')
  const main = join(folder, 'program.cjs')
  const args = [...flags, maker, main, into, installed, ...used]
  // Where settings are handed over, the daemon has a pipe.
  await tool('sh', ['-c', 'exec "$@" 3>/dev/null', 'sh', program, ...before, ...args], {
    cwd: work,
    env: { ...environment, PATH: process.env.PATH, NODE_OPTIONS: nodeOptions },
  })
  const made: readonly { readonly file: string; readonly data: string }[] = JSON.parse(
    await readFile(into, 'utf8'),
  )
  return made.map(({ file, data }) => ({ file, data: Buffer.from(data, 'base64') }))
}

/** What runs its programs here; undefined where nothing does. */
export async function runnerOf({ arch, emulated, tools }: Platform): Promise<string[] | undefined> {
  if (arch === process.arch) return []
  for (const emulator of [`qemu-${emulated}-static`, `qemu-${emulated}`]) {
    const command = [emulator, '-L', `/usr/${tools}`]
    const runs = await tool(emulator, ['--version']).catch(() => undefined)
    if (runs !== undefined && existsSync(`/usr/${tools}`)) return command
  }
  return undefined
}

/** NODE_OPTIONS of a unit. */
export async function nodeOptionsOf(unit: string): Promise<string> {
  const text = await readFile(join(checkout, `deploy/pi/systemd/${unit}.service`), 'utf8')
  return /^Environment="NODE_OPTIONS=([^"]*)"/m.exec(text)?.[1] ?? ''
}
