import test from 'ava'
import fc from 'fast-check'
import { compareBigints, largest, smallest } from '../../protocol/index.ts'

const amounts = fc.array(fc.bigInt(), { minLength: 1 })

test('the largest is one of them, and none is larger', (t) => {
  fc.assert(
    fc.property(amounts, ([first = 0n, ...others]) => {
      const found = largest(first, ...others)
      return [first, ...others].includes(found) && others.every((each) => each <= found)
    }),
  )
  t.pass()
})

test('the smallest is one of them, and none is smaller', (t) => {
  fc.assert(
    fc.property(amounts, ([first = 0n, ...others]) => {
      const found = smallest(first, ...others)
      return [first, ...others].includes(found) && others.every((each) => each >= found)
    }),
  )
  t.pass()
})

test('a bound that is undefined does not bind', (t) => {
  t.is(smallest(5n, undefined), 5n)
  t.is(smallest(5n, undefined, 3n), 3n)
})

test('sorting beyond what a number can hold', (t) => {
  const past = 2n ** 53n
  t.deepEqual([past + 1n, past, past + 2n].sort(compareBigints), [past, past + 1n, past + 2n])
  t.is(compareBigints(past, past), 0)
})
