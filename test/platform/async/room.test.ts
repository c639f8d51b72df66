import test from 'ava'
import fc from 'fast-check'
import { createRoom } from '../../../platform/async/room.ts'

const here = new AbortController().signal
const turn = () => new Promise((resolve) => setImmediate(resolve))

function givenRoom(most: number) {
  const room = createRoom(most)
  const inside: string[] = []
  const take = async (name: string, size: number, gone = here) => {
    const free = await room.take(size, gone)
    inside.push(name)
    return () => {
      inside.splice(inside.indexOf(name), 1)
      free()
    }
  }
  return { take, inside }
}

test('what fits goes in at once, the rest waits in its order', async (t) => {
  const { take, inside } = givenRoom(10)
  const freeA = await take('a', 6)
  const b = take('b', 5)
  const c = take('c', 1)
  await turn()
  t.deepEqual(inside, ['a'])
  freeA()
  const freeB = await b
  await c
  t.deepEqual(inside, ['b', 'c'])
  freeB()
})

test('what is larger than all waits to be alone', async (t) => {
  const { take, inside } = givenRoom(10)
  const freeA = await take('a', 1)
  const b = take('b', 100)
  await turn()
  t.deepEqual(inside, ['a'])
  freeA()
  const freeB = await b
  const c = take('c', 1)
  await turn()
  t.deepEqual(inside, ['b'])
  freeB()
  await c
})

test('whoever leaves holds up nobody', async (t) => {
  const { take, inside } = givenRoom(10)
  const freeA = await take('a', 10)
  const leaving = new AbortController()
  const b = take('b', 10, leaving.signal)
  const c = take('c', 10)
  leaving.abort()
  const freeB = await b
  freeB()
  freeA()
  await c
  t.deepEqual(inside, ['c'])
})

test('there is never more inside than there is room, and all get in', async (t) => {
  const sizes = fc.array(fc.integer({ min: 1, max: 10 }), { maxLength: 30 })
  await fc.assert(
    fc.asyncProperty(sizes, async (all) => {
      const room = createRoom(10)
      let taken = 0
      let most = 0
      await Promise.all(
        all.map(async (size) => {
          const free = await room.take(size, here)
          taken += size
          most = Math.max(most, taken)
          await turn()
          taken -= size
          free()
          free()
        }),
      )
      return most <= 10 && taken === 0
    }),
  )
  t.pass()
})
