// A daemon that spares its card: what it writes when, and what a kill or a power cut leaves.
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { isInMemory } from '../../agent/jobs/sinks/line-file.ts'
import { daemonFolder, startDaemonProcess } from '../support/daemon.ts'
import { startSystem } from '../support/system.ts'
import { until } from '../support/until.ts'

test('between flushes the card is left alone; a kill loses nothing, a power cut what came since the last flush', async (t) => {
  const system = await startSystem(t)
  const { folder, json } = await daemonFolder(
    system,
    `card: gentle
jobs:
  seldom: { get: room/reading, every: '0 0 1 1 *', sinks: [{ file: readings.jsonl }] }
`,
  )
  const memory = join(folder, 'run')
  await mkdir(memory)
  const start = async () => {
    const daemon = await startDaemonProcess(t, folder, { RUNTIME_DIRECTORY: memory })
    await until(async () => ((await daemon.status())?.jobs.length === 1 ? true : undefined))
    return daemon
  }
  const lines = async () => {
    const text = await readFile(join(folder, 'readings.jsonl'), 'utf8').catch(() => '')
    return text.split('\n').length - 1
  }
  const held = async (number: number) => ((await isInMemory(folder)) ? undefined : number)
  const run = async () => t.like(await json(t, 'run-job', 'seldom'), { kind: 'done', status: 200 })
  let daemon = await start()
  await run()
  const before = await filesIn(join(folder, 'state'))
  // The second brings a commitment to ticks.
  for (let times = 0; times < 3; times++) await run()
  t.deepEqual(await filesIn(join(folder, 'state')), before)
  t.is((await held(await lines())) ?? 0, 0)

  daemon.child.kill('SIGKILL')
  await daemon.ended
  daemon = await start()
  // Nobody was asked for it.
  t.like((await json(t, 'channels'))[0], { balance: '20', certain: true })
  const opened = await filesIn(join(folder, 'state'))
  await json(t, 'flush')
  t.is(await lines(), 4)
  const flushed = await filesIn(join(folder, 'state'))
  t.deepEqual(storesOf(flushed, opened), ['ledger'], 'one batch for all')
  const { last } = (await daemon.status())?.jobs[0] ?? {}

  await run()
  daemon.child.kill('SIGKILL')
  await daemon.ended
  await rm(memory, { recursive: true })
  await mkdir(memory)
  daemon = await start()
  t.like((await json(t, 'channels'))[0], { certain: false })
  t.deepEqual((await daemon.status())?.jobs[0]?.last, last)
  await run()
  t.like((await json(t, 'channels'))[0], { balance: '30', certain: true })

  daemon.child.kill('SIGTERM')
  t.is(await daemon.ended, 0, daemon.log())
  t.is(await lines(), (await held(5)) ?? 6)
  t.deepEqual(await readdir(memory), [])
  t.like((await json(t, 'channels'))[0], { balance: '30', certain: true })
})

type Files = Readonly<Record<string, string>>

/** Whose files have changed. */
function storesOf(now: Files, before: Files): readonly string[] {
  const changed = Object.keys(now).filter((name) => now[name] !== before[name])
  return [...new Set(changed.map((name) => name.split('/')[0] ?? ''))]
}

async function filesIn(state: string): Promise<Files> {
  const found: Record<string, string> = {}
  for (const store of ['ledger', 'jobs']) {
    for (const name of await readdir(join(state, store))) {
      const { size, mtimeMs } = await stat(join(state, store, name))
      found[`${store}/${name}`] = `${size} ${mtimeMs}`
    }
  }
  return found
}
