import test from 'ava'
import { once } from '../../../platform/async/once.ts'

test('made once for all who ask at the same time, and again only after a failure', async (t) => {
  let made = 0
  const get = once(async () => {
    made++
    if (made === 1) throw new Error('not yet')
    return made
  })
  const [first, second] = await Promise.allSettled([get(), get()])
  t.is(first.status, 'rejected')
  t.is(second.status, 'rejected')
  t.is(await get(), 2)
  t.is(await get(), 2)
})
