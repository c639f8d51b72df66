// Each operation is compared with the same one on plain sets of units.
import test from 'ava'
import fc from 'fast-check'
import {
  containsInterval,
  type Interval,
  intersectIntervals,
  intervalLength,
  joinIntervals,
  overlapsInterval,
  subtractInterval,
  totalLength,
} from '../../protocol/index.ts'

const end = fc.bigInt({ min: 0n, max: 30n })
const interval = fc.record({ from: end, to: end })
const anyList = fc.array(interval, { maxLength: 8 })
const listInOrder = anyList.map(joinIntervals)

function units(intervals: readonly Interval[]): Units {
  const found = new Set<bigint>()
  for (const { from, to } of intervals) {
    for (let unit = from + 1n; unit <= to; unit++) found.add(unit)
  }
  return found
}

type Units = ReadonlySet<bigint>

const difference = (a: Units, b: Units): Units => new Set([...a].filter((unit) => !b.has(unit)))
const common = (a: Units, b: Units): Units => new Set([...a].filter((unit) => b.has(unit)))
const isSubset = (a: Units, b: Units): boolean => [...a].every((unit) => b.has(unit))

function isInOrder(intervals: readonly Interval[]): boolean {
  return intervals.every(({ from, to }, index) => {
    const before = intervals[index - 1]
    return from < to && (before === undefined || before.to < from)
  })
}

function same(list: readonly Interval[], expected: Units): boolean {
  const found = units(list)
  return isInOrder(list) && found.size === expected.size && isSubset(found, expected)
}

const properties: Readonly<Record<string, () => void>> = {
  'joining keeps every unit, adds none, and puts the list in order': () =>
    fc.assert(fc.property(anyList, (list) => same(joinIntervals(list), units(list)))),

  'joining what is in order changes nothing': () =>
    fc.assert(
      fc.property(listInOrder, (list) => {
        const again = joinIntervals(list)
        return again.length === list.length && again.every((each, index) => each === list[index])
      }),
    ),

  'subtracting takes exactly the units of the interval': () =>
    fc.assert(
      fc.property(listInOrder, interval, (list, taken) =>
        same(subtractInterval(list, taken), difference(units(list), units([taken]))),
      ),
    ),

  'what was taken and is given back leaves the list as it was': () =>
    fc.assert(
      fc.property(listInOrder, interval, (list, taken) => {
        const common = intersectIntervals(list, [taken])
        return same(joinIntervals([...subtractInterval(list, taken), ...common]), units(list))
      }),
    ),

  'an intersection has the units that both have': () =>
    fc.assert(
      fc.property(listInOrder, listInOrder, (some, others) =>
        same(intersectIntervals(some, others), common(units(some), units(others))),
      ),
    ),

  'containing means that no unit is missing': () =>
    fc.assert(
      fc.property(
        listInOrder,
        interval,
        (list, asked) => containsInterval(list, asked) === isSubset(units([asked]), units(list)),
      ),
    ),

  'overlapping means that a unit is common': () =>
    fc.assert(
      fc.property(
        listInOrder,
        interval,
        (list, asked) =>
          overlapsInterval(list, asked) === common(units([asked]), units(list)).size > 0,
      ),
    ),

  'the length is the number of units': () =>
    fc.assert(fc.property(listInOrder, (list) => totalLength(list) === BigInt(units(list).size))),
}

for (const [says, check] of Object.entries(properties)) {
  test(says, (t) => t.notThrows(check))
}

test('the first unit of an interval is above `from`, the last one is `to`', (t) => {
  t.is(intervalLength({ from: 5n, to: 8n }), 3n)
  t.false(containsInterval([{ from: 5n, to: 8n }], { from: 4n, to: 5n }))
  t.true(containsInterval([{ from: 5n, to: 8n }], { from: 7n, to: 8n }))
})
