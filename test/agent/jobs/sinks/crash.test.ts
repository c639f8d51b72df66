// The queue and its file in a process that is killed, and on a disk that is full.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { temporaryFolder } from '../../../support/folder.ts'
import { needing, tools } from '../../../support/tools.ts'
import { until } from '../../../support/until.ts'

const run = promisify(execFile)
const program = fileURLToPath(new URL('../../../support/programs/deliverer.ts', import.meta.url))

interface Said {
  readonly queued?: number
  readonly failed?: number
  readonly event?: string
}

async function place(t: ExecutionContext) {
  const folder = await temporaryFolder(t)
  const data = join(folder, 'data')
  const start = (from: number, size = 20_000) => {
    // Without the trap a write over a limit of the file's size would end the process.
    const args = [program, join(folder, 'queue'), join(data, 'out.jsonl'), `${size}`, `${from}`]
    const child = spawn('sh', ['-c', `trap '' XFSZ; exec "$0" "$@"`, process.execPath, ...args], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    t.teardown(() => child.kill('SIGKILL'))
    const queued: number[] = []
    const events: string[] = []
    child.on('message', (said: Said) => {
      if (said.queued !== undefined) queued.push(said.queued)
      if (said.event !== undefined) events.push(said.event)
    })
    const gone = once(child, 'exit')
    return { child, queued, events, gone }
  }
  /** Numbers of all lines, oldest first. */
  const lines = async (): Promise<readonly number[]> => {
    const number = (name: string) => Number(/\d+$/.exec(name)?.[0] ?? Number.POSITIVE_INFINITY)
    const names = (await readdir(data)).sort((a, b) => number(a) - number(b))
    const texts = await Promise.all(names.map((name) => readFile(join(data, name), 'utf8')))
    return texts.flatMap((text) =>
      text
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line).data.number),
    )
  }
  return { start, lines, data }
}

test('killed again and again in the middle of delivery: every entry is in the file once, in its order', async (t) => {
  const { start, lines } = await place(t)
  const kept = new Set<number>()
  let next = 0
  for (let life = 0; life < 6; life++) {
    const { child, queued, gone } = start(next)
    // Another moment each time: while it recovers, rotates, syncs, writes.
    await until(() => queued.length > 10 + life * 67)
    child.kill('SIGKILL')
    await gone
    for (const number of queued) kept.add(number)
    // One more may be in the queue whose message was lost.
    next = Math.max(...queued) + 100
  }
  const { child, queued, gone } = start(next)
  await until(() => queued.length > 10)
  child.send('stop')
  await gone
  for (const number of queued) kept.add(number)
  const found = await lines()
  t.deepEqual(
    found,
    [...new Set(found)].sort((a, b) => a - b),
  )
  t.deepEqual(
    [...kept].filter((number) => !found.includes(number)),
    [],
  )
})

needing(test, tools.prlimit)(
  'a disk that is full in the middle of a line: nothing is lost or repeated, and it goes on by itself',
  async (t) => {
    const { start, lines, data } = await place(t)
    const { child, queued, events, gone } = start(0, 100_000_000)
    const limit = (bytes: number | 'unlimited') =>
      run('prlimit', ['--pid', `${child.pid}`, `--fsize=${bytes}:`])
    await until(() => queued.length > 50)
    const { size } = await stat(join(data, 'out.jsonl'))
    await limit(size + 1000)
    await until(() => events.includes('sinkFailing'))
    await limit('unlimited')
    await until(() => events.includes('sinkRecovered'))
    child.send('stop')
    await gone
    const found = await lines()
    t.deepEqual(
      found,
      [...new Set(found)].sort((a, b) => a - b),
    )
    t.deepEqual(
      queued.filter((number) => !found.includes(number)),
      [],
    )
  },
)
