// Whatever payments are taken, given back, in doubt and corrected: no unit is handed out twice.
import test from 'ava'
import fc from 'fast-check'
import {
  doubt,
  giveBack,
  type Position,
  resolveDoubt,
  servedUpTo,
  standAt,
  takeFrom,
} from '../../../agent/channels/position.ts'
import { type Interval, overlapsInterval } from '../../../protocol/index.ts'

const start: Position = { signed: 0n, top: 0n, free: [], doubtful: [], certain: true }
const price = fc.bigInt({ min: 1n, max: 9n })

const step = fc.oneof(
  fc.record({ kind: fc.constant('take' as const), price, gaps: fc.boolean() }),
  fc.record({ kind: fc.constantFrom('giveBack', 'doubt', 'resolve'), at: fc.nat(9) }),
)

test('no unit is on its way twice, in doubt and free, or above the bound', (t) => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      let position = start
      let underWay: readonly Interval[] = []
      for (const each of steps) {
        if (each.kind === 'take') {
          const receiverKnows = each.gaps ? 'intervals' : 'balances'
          const taking = takeFrom(position, { price: each.price, bound: 60n, receiverKnows })
          if (taking === undefined) continue
          const { interval } = taking
          t.is(interval.to - interval.from, each.price)
          t.true(interval.to <= 60n)
          t.false(overlapsInterval(underWay, interval))
          position = taking.position
          underWay = [...underWay, interval]
        } else {
          const chosen = underWay[each.at]
          if (each.kind === 'resolve') {
            const again = position.doubtful[each.at]
            if (again === undefined) continue
            position = resolveDoubt(position, again)
            underWay = [...underWay, again]
          } else if (chosen !== undefined) {
            position = each.kind === 'doubt' ? doubt(position, chosen) : giveBack(position, chosen)
            underWay = underWay.filter((other) => other !== chosen)
          }
        }
        for (const interval of [...underWay, ...position.doubtful]) {
          t.false(overlapsInterval(position.free, interval))
          t.true(interval.to <= position.top)
        }
        t.true(position.signed <= position.top)
      }
    }),
  )
})

test('after a crash the last known proof is offered, until the receiver has shown where the channel stands', (t) => {
  const hidden: Position = { ...start, signed: 20n, top: 50n, certain: false }
  const wanted = { price: 5n, bound: 50n, receiverKnows: 'intervals' } as const
  t.like(takeFrom(hidden, wanted), { source: 'probe', interval: { from: 15n, to: 20n } })
  const shown = standAt(hidden, 35n)
  t.like(takeFrom(shown, wanted), { source: 'fresh', interval: { from: 35n, to: 40n } })
})

test('a doubtful interval is offered as a whole, a free one in parts, to receivers that know intervals', (t) => {
  const position: Position = {
    ...start,
    signed: 30n,
    top: 30n,
    free: [{ from: 10n, to: 20n }],
    doubtful: [{ from: 0n, to: 5n }],
  }
  const take = (wanted: bigint, receiverKnows: 'intervals' | 'balances') => {
    const { source, interval } =
      takeFrom(position, { price: wanted, bound: 60n, receiverKnows }) ?? {}
    return [source, interval?.from]
  }
  t.deepEqual(take(5n, 'intervals'), ['doubtful', 0n])
  t.deepEqual(take(4n, 'intervals'), ['credit', 10n])
  t.deepEqual(take(11n, 'intervals'), ['fresh', 30n])
  t.deepEqual(take(5n, 'balances'), ['fresh', 30n])
})

test('a receiver that knows balances only is offered again what is in doubt at the end, as a whole', (t) => {
  const doubtful = [
    { from: 10n, to: 15n },
    { from: 15n, to: 20n },
  ]
  const position: Position = { ...start, signed: 20n, top: 20n, doubtful }
  const take = (price: bigint, signed = 20n) => {
    const wanted = { price, bound: 60n, receiverKnows: 'balances' } as const
    const { source, interval } = takeFrom({ ...position, signed }, wanted) ?? {}
    return [source, interval?.from]
  }
  t.deepEqual(take(5n), ['doubtful', 15n])
  t.deepEqual(take(4n), ['fresh', 20n])
  t.deepEqual(take(5n, 25n), ['fresh', 25n])
})

test('what is owed for certain ends below what was given back or is in doubt', (t) => {
  const at = (from: bigint, to: bigint): Interval => ({ from, to })
  t.is(servedUpTo({ signed: 20n, free: [], doubtful: [] }), 20n)
  t.is(servedUpTo({ signed: 20n, free: [], doubtful: [at(15n, 20n)] }), 15n)
  t.is(servedUpTo({ signed: 20n, free: [at(10n, 15n)], doubtful: [at(15n, 20n)] }), 10n)
  t.is(servedUpTo({ signed: 20n, free: [], doubtful: [at(5n, 10n)] }), 20n)
  t.is(servedUpTo({ signed: 5n, free: [], doubtful: [at(0n, 5n)] }), 0n)
})
