// SIGTERM while a job's purchase is under way: it is kept whole, and nothing is waited for.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { daemonFolder, startDaemonProcess } from '../support/daemon.ts'
import { startSystem } from '../support/system.ts'
import { until } from '../support/until.ts'

const helper = fileURLToPath(new URL('../support/programs/left-at-stop.ts', import.meta.url))

async function given(t: ExecutionContext) {
  const answers = { asked: 0, release: () => undefined as unknown }
  const released = new Promise<void>((resolve) => {
    answers.release = resolve
  })
  const system = await startSystem(t, [
    {
      path: '/reading',
      price: 5n,
      handler: async () => {
        answers.asked++
        await released
        return { celsius: 21.4 }
      },
    },
  ])
  const { folder, config, cli, json } = await daemonFolder(system)
  const out = join(folder, 'out.jsonl')
  await config(`jobs:
  reading:
    get: room/reading
    every: '0 0 1 1 *'
    sinks: [ { file: ${out} } ]
`)
  const start = async () => {
    const left = join(folder, 'left.json')
    const environment = { NODE_OPTIONS: `--import ${helper}`, LEFT_AT_STOP: left }
    const daemon = await startDaemonProcess(t, folder, environment)
    /** Resolves when it has ended, with what it would have waited for. */
    const stop = async (): Promise<readonly string[]> => {
      daemon.child.kill('SIGTERM')
      t.is(await daemon.ended, 0, daemon.log())
      return JSON.parse(await readFile(left, 'utf8'))
    }
    return { ...daemon, stop }
  }
  const lines = async () => {
    const text = await readFile(out, 'utf8').catch(() => '')
    return text.trim().split('\n').filter(Boolean)
  }
  return { system, answers, start, cli, json, lines }
}

/** Standard output and error, and what ends by itself in no time. */
const harmless = /^(PipeWrap|TTYWrap|FileHandle|FSReq\w*|Immediate|CloseReq)$/

const holding = (left: readonly string[]) => left.filter((each) => !harmless.test(each))

test('it ends before the receiver has answered, and the next start brings the answer that was paid', async (t) => {
  const { system, answers, start, cli, json, lines } = await given(t)
  const first = await start()
  const running = cli('run-job', 'reading')
  await until(() => answers.asked === 1, first.log)
  const left = await first.stop()
  // Nobody was waited for: the receiver answers only now.
  answers.release()
  t.deepEqual(holding(left), [])
  t.regex((await running).stderr, /\(aborted, exit 1\)/)
  t.deepEqual(await lines(), [])
  t.like((await json(t, 'channels'))[0], { balance: '5', bound: '5', certain: true })

  const second = await start()
  await until(async () => (await lines()).length === 1, second.log)
  t.deepEqual(holding(await second.stop()), [])
  const [line = '', ...more] = await lines()
  t.like(JSON.parse(line), { data: { celsius: 21.4 }, cost: '5' })
  t.deepEqual(more, [])
  t.like((await json(t, 'channels'))[0], { balance: '5', bound: '5', certain: true })
  // Paid once, on both sides.
  await until(() => system.receiver.book.unsettled() === 5n)
})

test('an agent that is idle has nothing to wait for when it stops', async (t) => {
  const { answers, start, json, lines } = await given(t)
  answers.release()
  const daemon = await start()
  await json(t, 'run-job', 'reading')
  await until(async () => (await lines()).length === 1, daemon.log)
  t.deepEqual(holding(await daemon.stop()), [])
})
