import test from 'ava'
import { endsWithin } from '../../../platform/async/ends-within.ts'

const never = new Promise<never>(() => undefined)

test('work that is over is in time', async (t) => {
  t.true(await endsWithin(Promise.resolve('anything'), 60_000))
})

test('work that does not end is late', async (t) => {
  t.false(await endsWithin(never, 1))
})

test('work that fails in time says why', async (t) => {
  await t.throwsAsync(endsWithin(Promise.reject(new Error('torn')), 60_000), { message: 'torn' })
})
