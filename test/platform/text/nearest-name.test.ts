import test from 'ava'
import fc from 'fast-check'
import { nearestName } from '../../../platform/text/nearest-name.ts'

test('a name with one letter more, less or changed is still found', (t) => {
  const names = ['budget', 'deposit', 'receivers', 'contract']
  fc.assert(
    fc.property(
      fc.constantFrom(...names),
      fc.nat(),
      fc.constantFrom('', 'x', 'yb'),
      (name, at, put) => {
        const place = at % name.length
        const typed = name.slice(0, place) + put + name.slice(place + 1)
        t.is(nearestName(typed, names), name)
      },
    ),
  )
  t.is(nearestName('zebra', names), undefined)
})
