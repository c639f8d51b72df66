// ./scripts/bench agent: what paying costs the machine that pays, beside the same requests unpaid.
//
// The receiver is a process of its own that takes every payment unseen, so that only the agent is
// measured. Figures of one run can be compared with each other, not with those of another machine.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Command } from 'commander'
import { integer } from '../scripts/lib/shared/arguments.ts'
import type { AgentRun } from './lib/agent-run.ts'

const { payments, json } = new Command('./scripts/bench agent')
  .option('--payments <n>', 'of each kind', integer(1, 1_000_000), 1500)
  .option('--json', 'print JSON')
  .parse()
  .opts<{ payments: number; json?: true }>()
const here = (name: string): string => fileURLToPath(new URL(`./lib/${name}`, import.meta.url))

const folder = await mkdtemp(join(tmpdir(), 'uraiden-bench-'))
const server = fork(here('agent-server.ts'))
try {
  const url = await message<string>(server)
  const measure = async (mode: string): Promise<AgentRun> => {
    const child = fork(here('agent-run.ts'), [mode, url, join(folder, mode), String(payments)])
    return message<AgentRun>(child)
  }
  const plain = await measure('plain')
  const paid: { [reservation: string]: AgentRun } = {}
  for (const reservation of ['1', '16', '64']) paid[reservation] = await measure(reservation)
  const ticks = await measure('ticks')
  const fresh = await freshProcesses(url, join(folder, 'ticks'))
  const result = { node: process.version, payments, plain, paid, ticks, fresh }
  const results = fileURLToPath(new URL('./results', import.meta.url))
  await mkdir(results, { recursive: true })
  await writeFile(join(results, 'agent.json'), `${JSON.stringify(result, null, 2)}\n`)
  process.stdout.write(json ? `${JSON.stringify(result)}\n` : table(result))
} finally {
  server.kill()
  await rm(folder, { recursive: true, force: true })
}

function message<Value>(child: ChildProcess): Promise<Value> {
  return new Promise((resolve, reject) => {
    child.once('message', (value) => resolve(value as Value))
    child.once('exit', (code) => reject(new Error(`a process of the benchmark ended with ${code}`)))
  })
}

/** CPU of a whole process from source that asks once, in milliseconds. */
interface Fresh {
  readonly unpaid: number
  readonly paid: number
}

/** In turns, so that whatever else the machine does is in both. `store` has paid before. */
async function freshProcesses(url: string, store: string): Promise<Fresh> {
  const taken: { readonly [path: string]: number[] } = { free: [], paid: [] }
  for (let turn = 0; turn < 11; turn++) {
    for (const [path, times] of Object.entries(taken)) {
      const child = fork(here('agent-once.ts'), [`${url}/${path}`, store])
      times.push(await message<number>(child))
      if (child.exitCode === null) await once(child, 'exit')
    }
  }
  const median = (times: number[] = []) => times.sort((a, b) => a - b)[5] ?? Number.NaN
  return { unpaid: median(taken.free), paid: median(taken.paid) }
}

interface Result {
  readonly plain: AgentRun
  /** Signed, by how many payments are reserved at a time. */
  readonly paid: { readonly [reservation: string]: AgentRun }
  /** With the agent’s own settings. */
  readonly ticks: AgentRun
  readonly fresh: Fresh
}

function table({ plain, paid, ticks, fresh }: Result): string {
  const row = (name: string, run: AgentRun): string =>
    [
      name.padEnd(16),
      run.perSecond.toFixed(0).padStart(8),
      (run.perSecond / plain.perSecond).toFixed(2).padStart(8),
      run.cpuMs.toFixed(3).padStart(8),
      run.bytesWritten.toFixed(0).padStart(8),
      run.syncs.toFixed(3).padStart(8),
      run.idleMB.toFixed(0).padStart(8),
      run.payingMB.toFixed(0).padStart(8),
    ].join(' ')
  const head = ['', 'per s', '× plain', 'CPU ms', 'bytes', 'syncs', 'idle MB', 'busy MB']
  return [
    head.map((name, at) => (at === 0 ? name.padEnd(16) : name.padStart(8))).join(' '),
    row('got, unpaid', plain),
    ...Object.entries(paid).map(([reservation, run]) => row(`reserve ${reservation}`, run)),
    row('ticks', ticks),
    `a fresh process: ${fresh.unpaid.toFixed(0)} ms of CPU unpaid, ${fresh.paid.toFixed(0)} paid`,
    `all per request; ${readFileSync('/proc/cpuinfo', 'utf8').match(/model name\s*: (.*)/)?.[1] ?? ''}`,
    '',
  ].join('\n')
}
