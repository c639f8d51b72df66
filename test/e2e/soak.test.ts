// The soak, shorter: processes that are killed and restarted, real files, a real receiver and broker.
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import test from 'ava'

const run = promisify(execFile)

test('every paid body is in the file exactly once, through kills and restarts, and was paid for once', async (t) => {
  const { stdout } = await run(process.execPath, [
    'bench/soak.ts',
    ...['--seconds', '15'],
    ...['--jobs', '20'],
    ...['--kills', '3'],
    ...['--restarts', '2'],
    '--json',
  ])
  const { file, mqtt, claimed, troubles, lastLife } = JSON.parse(stdout)
  t.deepEqual(troubles, [])
  t.true(file.served >= 15 * 20)
  t.like(file, { delivered: file.served, missing: 0, repeated: 0, strange: 0 })
  t.like(mqtt, { missing: 0, strange: 0 })
  t.is(claimed, 5 * file.served)
  t.is(lastLife.dropped, 0)
})

test('a number of seconds that is none is refused with what to write', async (t) => {
  await t.throwsAsync(run(process.execPath, ['bench/soak.ts', '--seconds', 'many']), {
    message: /Write an integer from 10 to 1000000/,
  })
})
