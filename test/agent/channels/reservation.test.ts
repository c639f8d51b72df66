import test from 'ava'
import fc from 'fast-check'
import { nextBound } from '../../../agent/channels/reservation.ts'

test('the bound is raised for whole payments, within deposit and budget, and never lowered', (t) => {
  const amount = fc.bigInt({ min: 0n, max: 1000n })
  fc.assert(
    fc.property(
      amount,
      amount,
      amount,
      fc.bigInt({ min: 1n, max: 50n }),
      fc.integer({ min: 1, max: 20 }),
      fc.option(amount, { nil: undefined }),
      (balance, ahead, deposit, price, reservation, room) => {
        const bound = balance + ahead
        const next = nextBound({ balance, bound, deposit, price, reservation, room })
        t.true(next >= bound)
        if (next > bound) {
          t.true(next <= deposit)
          t.true(room === undefined || next - bound <= room)
          t.is((next - balance) % price, 0n)
          t.true(next <= balance + price * BigInt(reservation))
        }
      },
    ),
  )
})
