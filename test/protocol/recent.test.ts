// A bounded memory keeps what is used, whatever comes between, and no more than it may.
import test from 'ava'
import fc from 'fast-check'
import { createRecent } from '../../protocol/recent.ts'

test('what was used among the last half of its size is there, with its newest value', (t) => {
  const uses = fc.array(fc.record({ name: fc.nat(12), asked: fc.boolean() }), { maxLength: 200 })
  fc.assert(
    fc.property(uses, (all) => {
      const recent = createRecent<number>(8)
      const newest = new Map<string, number>()
      all.forEach(({ name, asked }, at) => {
        const text = `${name}`
        if (asked && recent.get(text) === undefined) return
        if (!asked) recent.set(text, at)
        const value = asked ? newest.get(text) : at
        newest.delete(text)
        newest.set(text, value ?? -1)
      })
      for (const [text, value] of [...newest].slice(-4).toReversed()) t.is(recent.get(text), value)
    }),
  )
})

test('a flood of names that come once does not drive out what is asked for in between', (t) => {
  const recent = createRecent<string>(100)
  recent.set('regular', 'here')
  for (let made = 0; made < 10_000; made++) {
    if (made % 40 === 0) t.is(recent.get('regular'), 'here')
    recent.set(`made-up ${made}`, 'x')
  }
})

test('never more than its size is remembered', (t) => {
  for (const most of [2, 7, 100]) {
    const recent = createRecent<number>(most)
    const names = Array.from({ length: 5 * most }, (_, at) => `${at}`)
    names.forEach((name, at) => {
      recent.set(name, at)
    })
    // Asking moves what is there; an upper bound is what this counts.
    const there = names.toReversed().filter((name) => recent.get(name) !== undefined)
    t.true(there.length <= most, `${there.length} of ${most}`)
    t.true(there.length >= Math.floor(most / 2))
  }
})
