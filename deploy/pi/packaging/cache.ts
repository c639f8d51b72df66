// What V8 makes of the program, made by the Node of the package when that is built: the daemon starts with it.
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { readerCommand } from '../../../agent/cli/commands/reader-command.ts'
import { cacheOf } from './parts.ts'
import type { Platform } from './platforms.ts'
import { checkout, tool } from './tools.ts'

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

/** Makes code whose bytes depend on nothing but the source; it counts as a flag. */
const steady = '--hash-seed=1'

/**
 * Contents by file, relative to the folder; the same each time. Empty where it would not be taken.
 * @throws UraidenError build_tool_failed
 */
export async function compileCache(options: CacheOptions): Promise<ReadonlyMap<string, Buffer>> {
  const work = await mkdtemp(join(tmpdir(), 'uraiden-cache-'))
  try {
    await writeFile(join(work, 'agent.yaml'), usual)
    await writeFile(join(work, 'key'), '1'.repeat(64), { mode: 0o600 })
    const files = new Map<string, Buffer>()
    for (const command of commands) {
      const run = (flags: readonly string[]) => runMaker(options, work, [...flags], command)
      const [own, same] = [await run([]), await run([steady])]
      for (const { file, data } of same) {
        const begin = own.find((each) => each.file === file)?.data.subarray(0, identity)
        const name = basename(cacheOf(file))
        if (begin !== undefined && !files.has(name)) {
          files.set(name, Buffer.concat([begin, data.subarray(identity)]))
        }
      }
    }
    return files
  } finally {
    await rm(work, { recursive: true })
  }
}

interface MadeByNode {
  readonly file: string
  readonly data: Buffer
}

async function runMaker(
  { command: [program = '', ...before], folder, installed, maker, nodeOptions }: CacheOptions,
  work: string,
  flags: readonly string[],
  used: readonly string[],
): Promise<readonly MadeByNode[]> {
  const into = join(work, 'made.json')
  const main = join(folder, 'program.cjs')
  const args = [maker, main, into, installed, ...used]
  // Where settings are handed over, the daemon has a pipe.
  await tool('sh', ['-c', 'exec "$@" 3>/dev/null', 'sh', program, ...before, ...flags, ...args], {
    cwd: work,
    env: { PATH: process.env.PATH, NODE_OPTIONS: nodeOptions },
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

/** What a start runs besides the daemon itself, and what a person runs; of the code of both, the first one's. */
const commands = [
  [readerCommand, 'agent.yaml'],
  ['config', 'check', 'agent.yaml'],
] as const

/** What a start reads, so that the code that reads it is in the cache. */
const usual = `rpc: http://127.0.0.1:8545
contract: '0x70997970C51812dc3A010C7d01b50e0d17dc79C8'
key: key
state: /var/lib/uraiden-agent
budget: { day: 1 TKN }
receivers: { shop: { url: http://127.0.0.1:5000 } }
proxy: { listen: 127.0.0.1:8402 }
jobs: { reading: { get: shop/reading, every: '*/5 * * * *', sinks: [{ file: readings.jsonl }] } }
`
