// Who shares a question, and that its answer is never of before.
import test from 'ava'
import { createLookups } from '../../../receiver/cluster/lookups.ts'

function given() {
  const asked: (readonly string[])[] = []
  const answers: ((all: ReadonlyMap<string, number> | Error) => void)[] = []
  const { ask } = createLookups<string, number>((names) => {
    asked.push(names)
    return new Promise((resolve, reject) =>
      answers.push((all) => (all instanceof Error ? reject(all) : resolve(all))),
    )
  })
  return { ask, asked, answers }
}

const turn = () => new Promise((resolve) => setImmediate(resolve))

test('who asks in the same turn shares a question, and who comes meanwhile the next', async (t) => {
  const { ask, asked, answers } = given()
  const first = [ask('a'), ask('b'), ask('a')]
  await turn()
  const second = [ask('a'), ask('c')]
  await turn()
  const third = ask('d')
  await turn()
  t.deepEqual(asked, [['a', 'b']])
  answers[0]?.(new Map([['a', 1]]))
  t.deepEqual(await Promise.all(first), [1, undefined, 1])
  t.deepEqual(asked, [
    ['a', 'b'],
    ['a', 'c', 'd'],
  ])
  // Not what was there before it asked.
  const all = new Map(Object.entries({ a: 2, c: 3, d: 4 }))
  answers[1]?.(all)
  t.deepEqual(await Promise.all([...second, third]), [2, 3, 4])
  const later = ask('a')
  await turn()
  answers[2]?.(new Map([['a', 5]]))
  t.is(await later, 5)
})

test('a question that fails is told to who has asked it, and the next is asked', async (t) => {
  const { ask, asked, answers } = given()
  const first = ask('a')
  await turn()
  const second = ask('a')
  answers[0]?.(new Error('away'))
  await t.throwsAsync(first, { message: 'away' })
  t.is(asked.length, 2)
  answers[1]?.(new Map([['a', 1]]))
  t.is(await second, 1)
})
