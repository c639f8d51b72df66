import test from 'ava'
import { commonStart } from '../../../platform/async/common-start.ts'

test('all begin when the last one is ready; one that says so twice counts once', async (t) => {
  const member = commonStart(2)
  const [first, second] = [member(), member()]
  let begun = false
  const beginning = first().then(() => {
    begun = true
  })
  first()
  await new Promise((resolve) => setImmediate(resolve))
  t.false(begun)
  await second()
  await beginning
  t.true(begun)
})
