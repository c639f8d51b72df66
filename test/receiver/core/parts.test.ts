import test from 'ava'
import { startedParts, startTogether } from '../../../receiver/core/parts.ts'

test('parts are stopped in the opposite order, all of them, and the first error is told', async (t) => {
  const parts = startedParts()
  const stopped: string[] = []
  parts.started(() => void stopped.push('first'))
  parts.started(async () => {
    stopped.push('second')
    throw new Error('second')
  })
  parts.started(() => {
    stopped.push('third')
    throw new Error('third')
  })
  const fourth = { stop: async () => void stopped.push('fourth') }
  t.is(parts.add(fourth), fourth)
  await t.throwsAsync(parts.stop(), { message: 'third' })
  t.deepEqual(stopped, ['fourth', 'third', 'second', 'first'])
  await parts.stop()
  t.is(stopped.length, 4)
})

test('what kept a part from starting is the error, also when those before it do not stop well', async (t) => {
  const stopped: string[] = []
  const starting = startTogether(async (parts) => {
    parts.started(() => void stopped.push('first'))
    parts.started(async () => {
      stopped.push('second')
      throw new Error('stopping')
    })
    throw new Error('starting')
  })
  await t.throwsAsync(starting, { message: 'starting' })
  t.deepEqual(stopped, ['second', 'first'])
})

test('what is started has one stop for all of it', async (t) => {
  const stopped: string[] = []
  const whole = await startTogether(async (parts) => {
    parts.started(() => void stopped.push('first'))
    return { url: 'http://127.0.0.1' }
  })
  t.is(whole.url, 'http://127.0.0.1')
  await whole.stop()
  t.deepEqual(stopped, ['first'])
})
