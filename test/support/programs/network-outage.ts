// In a network namespace of its own: a chain, a receiver and a daemon with a job, whose network goes away
// and comes back. Says as JSON what was seen.
import { execFileSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { claimedSum } from '../../../receiver/channels/claims.ts'
import { daemonFolder, startDaemonProcess } from '../daemon.ts'
import { price, startSystem } from '../system.ts'
import { until } from '../until.ts'

const cleanups: (() => unknown)[] = []
const t = {
  teardown: (cleanup: () => unknown) => cleanups.push(cleanup),
} as unknown as ExecutionContext

function setNetwork(state: 'up' | 'down'): void {
  execFileSync('ip', ['link', 'set', 'lo', state])
}

setNetwork('up')
let served = 0
const handler = () => ({ number: ++served })
const system = await startSystem(t, [{ path: '/reading', price, handler }])
const job = `jobs:
  reading:
    get: room/reading
    every: '* * * * * *'
    timeout: 3s
    retry: { times: 2, delay: 100ms }
    sinks: [{ file: out.jsonl }]
`
const { folder, cli } = await daemonFolder(system, job)
const numbers = async (): Promise<readonly number[]> => {
  const text = await readFile(join(folder, 'out.jsonl'), 'utf8').catch(() => '')
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line).data.number)
}
const daemon = await startDaemonProcess(t, folder)
const jobStatus = async () => (await daemon.status())?.jobs[0]
const reaches = (count: number) =>
  until(async () => (await numbers()).length >= count || undefined, daemon.log)

await reaches(2)
setNetwork('down')
await until(async () => ((await jobStatus())?.failures ?? 0) >= 2 || undefined, daemon.log)
const codeAway = (await jobStatus())?.last?.error?.code
const byName = await cli('get', 'http://receiver.invalid/reading')
const before = (await numbers()).length
setNetwork('up')
await reaches(before + 2)
daemon.child.kill('SIGTERM')
const exit = await daemon.ended
const claimed = [...system.receiver.book.all()].reduce(
  (sum, { claims }) => sum + claimedSum(claims),
  0n,
)
const seen = {
  codeAway,
  byName: byName.stderr,
  before,
  numbers: await numbers(),
  served,
  claimed: Number(claimed),
  exit,
}
process.stdout.write(`${JSON.stringify(seen)}\n`)
for (const cleanup of cleanups.reverse()) await cleanup()
