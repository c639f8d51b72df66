import test from 'ava'
import fc from 'fast-check'
import { defined } from '../../protocol/index.ts'

test('what is undefined is left out; null, zero, false and the empty text stay', (t) => {
  t.deepEqual<unknown, unknown>(defined({ a: undefined, b: null, c: 0, d: false, e: '' }), {
    b: null,
    c: 0,
    d: false,
    e: '',
  })
})

test('the same fields, in their order, without those that are undefined', (t) => {
  const fields = fc.dictionary(fc.string(), fc.option(fc.integer(), { nil: undefined }))
  fc.assert(
    fc.property(fields, (given) => {
      const kept = Object.entries(given).filter(([, value]) => value !== undefined)
      t.deepEqual(Object.entries(defined(given)), kept)
    }),
    { examples: [[JSON.parse('{ "__proto__": 1, "a": 2 }')]] },
  )
})

test('a type whose fields may be missing takes it, and one whose fields must be there does not', (t) => {
  const maybe: number | undefined = [1].at(0)
  const options: { readonly price?: number; readonly name: string } = defined({
    price: maybe,
    name: 'room',
  })
  t.deepEqual(options, { price: 1, name: 'room' })
  // @ts-expect-error A field that may be undefined may be missing.
  const facts: { readonly price: number } = defined({ price: maybe })
  t.deepEqual(facts, { price: 1 })
})
