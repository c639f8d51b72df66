// Long work lets others have their turns.
import test from 'ava'
import { inPieces } from '../../../platform/async/pieces.ts'

test('every item is worked on in its order, and others have turns between', async (t) => {
  const done: number[] = []
  const seen: number[] = []
  const look = () => {
    seen.push(done.length)
    if (done.length < 2500) setImmediate(look)
  }
  setImmediate(look)
  const items = Array.from({ length: 2500 }, (_, item) => item)
  await inPieces(items, (item) => done.push(item))
  t.deepEqual(done, items)
  t.true(seen.some((count) => count > 0 && count < 2500))
})

test('an item that cannot be worked on ends it', async (t) => {
  const done: number[] = []
  const work = (item: number) => {
    if (item === 2) throw new RangeError('two')
    done.push(item)
  }
  await t.throwsAsync(inPieces([1, 2, 3], work), { message: 'two' })
  t.deepEqual(done, [1])
})
