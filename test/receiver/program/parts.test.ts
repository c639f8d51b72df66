// Parts are stopped in the opposite order, all of them.
import test from 'ava'
import { createParts } from '../../../receiver/program/parts.ts'

test('the last part stops first, whatever another one says, and each only once', async (t) => {
  const parts = createParts()
  const stopped: string[] = []
  const part = (name: string, error?: Error) => ({
    stop: async () => {
      stopped.push(name)
      if (error !== undefined) throw error
    },
  })
  const first = part('first')
  t.is(parts.add(first), first)
  parts.add(part('second', new Error('second')))
  parts.add(part('third', new Error('third')))
  await t.throwsAsync(parts.stop(), { message: 'third' })
  t.deepEqual(stopped, ['third', 'second', 'first'])
  await parts.stop()
  t.is(stopped.length, 3)
})
