import test from 'ava'
import { startedParts } from '../../../receiver/core/parts.ts'

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
