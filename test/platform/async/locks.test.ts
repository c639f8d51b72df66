import test from 'ava'
import { createLocks } from '../../../platform/async/locks.ts'

/** Work that says when it begins, and ends when it is told to. */
function works() {
  const begun: string[] = []
  const ends = new Map<string, () => void>()
  const work = (name: string) => () => {
    begun.push(name)
    return new Promise<string>((resolve) => ends.set(name, () => resolve(name)))
  }
  const settle = () => new Promise((resolve) => setImmediate(resolve))
  const end = async (name: string) => {
    ends.get(name)?.()
    await settle()
  }
  return { begun, work, end, settle }
}

test('what may go together does, what must be alone waits for all before it, and is not overtaken', async (t) => {
  const { begun, work, end, settle } = works()
  const { together, alone } = createLocks()
  const all = [
    together('a', work('first')),
    together('a', work('second')),
    alone('a', work('alone')),
    together('a', work('last')),
  ]
  await settle()
  t.deepEqual(begun, ['first', 'second'])
  await end('first')
  t.deepEqual(begun, ['first', 'second'])
  await end('second')
  t.deepEqual(begun, ['first', 'second', 'alone'])
  await end('alone')
  t.deepEqual(begun, ['first', 'second', 'alone', 'last'])
  await end('last')
  t.deepEqual(await Promise.all(all), ['first', 'second', 'alone', 'last'])
})

test('keys do not wait for each other', async (t) => {
  const { begun, work, settle } = works()
  const { alone } = createLocks()
  alone('a', work('a'))
  alone('b', work('b'))
  await settle()
  t.deepEqual(begun, ['a', 'b'])
})

test('what fails stops nobody', async (t) => {
  const { alone, together } = createLocks()
  const failing = () => Promise.reject(new Error('no'))
  const all = [alone('a', failing), together('a', failing), alone('a', async () => 'yes')]
  const outcomes = await Promise.allSettled(all)
  t.deepEqual(
    outcomes.map(({ status }) => status),
    ['rejected', 'rejected', 'fulfilled'],
  )
})
