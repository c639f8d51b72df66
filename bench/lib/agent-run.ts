// One measured run, in a process of its own so that memory and bytes are its own: `plain` fetches with
// got, a number pays with that many payments reserved at a time, signed; `ticks` pays as an agent does by itself.
import { readFileSync } from 'node:fs'
import { memoryUsage } from 'node:process'
import got from 'got'
import { Level } from 'level'
import { type BenchSettings, openAgent, prepareStore } from './agent-store.ts'

/** Of one run; all but the rates and memory are per request. */
export interface AgentRun {
  readonly perSecond: number
  readonly cpuMs: number
  /** Given to the kernel to write to the device. */
  readonly bytesWritten: number
  readonly syncs: number
  readonly idleMB: number
  readonly payingMB: number
}

const [mode = 'plain', url = '', folder = '', count = '0'] = process.argv.slice(2)
const requests = Number(count)

let syncs = 0
const batch = Level.prototype.batch
Level.prototype.batch = function (this: Level, ...args: readonly unknown[]) {
  if ((args[1] as { readonly sync?: boolean } | undefined)?.sync) syncs++
  return Reflect.apply(batch, this, args)
} as typeof batch

const { fetch: fetchOne, stop } = mode === 'plain' ? plain() : await paying(settings(mode))
const idleMB = residentMB()
for (let warmUp = 0; warmUp < 200; warmUp++) await fetchOne()
const before = { syncs, bytes: bytesWritten(), cpu: process.cpuUsage(), time: performance.now() }
for (let request = 0; request < requests; request++) await fetchOne()
const seconds = (performance.now() - before.time) / 1000
const { user, system } = process.cpuUsage(before.cpu)
const run: AgentRun = {
  perSecond: requests / seconds,
  cpuMs: (user + system) / 1000 / requests,
  bytesWritten: (bytesWritten() - before.bytes) / requests,
  syncs: (syncs - before.syncs) / requests,
  idleMB,
  payingMB: residentMB(),
}
await stop()
process.send?.(run, () => process.exit(0))

function plain() {
  return {
    fetch: async (): Promise<unknown> => got(`${url}/free`).json(),
    stop: async (): Promise<void> => undefined,
  }
}

function settings(mode: string): BenchSettings {
  return mode === 'ticks' ? { reservation: 16 } : { reservation: Number(mode), ticks: 0 }
}

async function paying(given: BenchSettings) {
  await prepareStore(folder)
  const agent = await openAgent(folder, given)
  return {
    fetch: async (): Promise<unknown> => (await agent.get(`${url}/paid`)).json(),
    stop: () => agent.stop(),
  }
}

function residentMB(): number {
  return memoryUsage.rss() / 2 ** 20
}

/** proc(5): what this process caused to be sent to the storage layer. */
function bytesWritten(): number {
  return Number(/^write_bytes: (\d+)/m.exec(readFileSync('/proc/self/io', 'utf8'))?.[1] ?? 0)
}
