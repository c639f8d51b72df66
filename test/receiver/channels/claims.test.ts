import test from 'ava'
import fc from 'fast-check'
import {
  type Claims,
  claim,
  claimedSum,
  closeGaps,
  mostGaps,
  noClaims,
  unclaim,
} from '../../../receiver/channels/claims.ts'
import { encodeLedger } from '../../../receiver/channels/ledger-record.ts'
import { emptyLedger } from '../../../receiver/channels/records.ts'

const at = (highest: bigint, ...gaps: readonly (readonly [bigint, bigint])[]): Claims => ({
  highest,
  unclaimed: gaps.map(([from, to]) => ({ from, to })),
})

interface Case {
  readonly given: string
  readonly claims: Claims
  readonly balance: bigint
  readonly price: bigint
  readonly mayLeaveGap?: true
  readonly expected: Claims | 'invalid_amount' | 'balance_spent'
}

const cases: readonly Case[] = [
  { given: 'the first payment', claims: noClaims, balance: 5n, price: 5n, expected: at(5n) },
  { given: 'the next payment', claims: at(5n), balance: 10n, price: 5n, expected: at(10n) },
  {
    given: 'one unit too little',
    claims: at(5n),
    balance: 9n,
    price: 5n,
    expected: 'invalid_amount',
  },
  {
    given: 'one unit too much',
    claims: at(5n),
    balance: 11n,
    price: 5n,
    expected: 'invalid_amount',
  },
  { given: 'a replay', claims: at(5n), balance: 5n, price: 5n, expected: 'balance_spent' },
  {
    given: 'a lower balance that says what it pays',
    claims: at(10n),
    balance: 7n,
    price: 2n,
    mayLeaveGap: true,
    expected: 'balance_spent',
  },
  {
    given: 'a lower balance, as the original’s clients have it after a restart',
    claims: at(10n),
    balance: 9n,
    price: 2n,
    expected: 'invalid_amount',
  },
  {
    given: 'the last balance again, and the price is above all that was paid',
    claims: at(5n),
    balance: 5n,
    price: 6n,
    expected: 'balance_spent',
  },
  {
    given: 'less than the price',
    claims: noClaims,
    balance: 4n,
    price: 5n,
    expected: 'invalid_amount',
  },
  {
    given: 'a gap for a request on its way',
    claims: at(5n),
    balance: 15n,
    price: 5n,
    mayLeaveGap: true,
    expected: at(15n, [5n, 10n]),
  },
  {
    given: 'the request that comes late into its gap',
    claims: at(15n, [5n, 10n]),
    balance: 10n,
    price: 5n,
    expected: at(15n),
  },
  {
    given: 'part of a gap',
    claims: at(15n, [5n, 10n]),
    balance: 8n,
    price: 2n,
    expected: at(15n, [5n, 6n], [8n, 10n]),
  },
  {
    given: 'more than a gap holds',
    claims: at(15n, [5n, 10n]),
    balance: 10n,
    price: 6n,
    expected: 'invalid_amount',
  },
  {
    given: 'credit just below the highest balance and the rest above it',
    claims: at(10n, [7n, 10n]),
    balance: 12n,
    price: 5n,
    expected: at(12n),
  },
  {
    given: 'more below the highest balance than is credit',
    claims: at(10n, [8n, 10n]),
    balance: 12n,
    price: 5n,
    expected: 'invalid_amount',
  },
  {
    given: 'a new balance beside credit: the credit stays',
    claims: at(10n, [7n, 10n]),
    balance: 15n,
    price: 5n,
    expected: at(15n, [7n, 10n]),
  },
]

for (const { given, claims, balance, price, mayLeaveGap = false, expected } of cases) {
  const outcome = typeof expected === 'string' ? `is refused: ${expected}` : 'pays'
  test(`${given} ${outcome}`, (t) => {
    const decision = claim(claims, { balance, price, mayLeaveGap })
    if (typeof expected === 'string') t.deepEqual(decision, { kind: 'refused', code: expected })
    else {
      t.deepEqual(decision, {
        kind: 'claimed',
        claims: expected,
        paid: { from: balance - price, to: balance },
      })
    }
  })
}

test('a sender may leave so many gaps and not one more', (t) => {
  const gaps = (count: number) =>
    at(
      BigInt(2 * count),
      ...Array.from({ length: count }, (_, i) => [BigInt(2 * i), BigInt(2 * i + 1)] as const),
    )
  const ask = (count: number) => ({ balance: BigInt(2 * count) + 2n, price: 1n, mayLeaveGap: true })
  t.is(claim(gaps(mostGaps - 1), ask(mostGaps - 1)).kind, 'claimed')
  t.is(claim(gaps(mostGaps), ask(mostGaps)).kind, 'refused')
})

test('a gap is split while there are fewer than the most, and not any more', (t) => {
  const middle = { balance: 1002n, price: 1n, mayLeaveGap: true }
  const withGaps = (count: number) => at(2000n, ...gapsBelow(count - 1), [1000n, 2000n])
  t.is(claim(withGaps(mostGaps - 1), middle).kind, 'claimed')
  t.deepEqual(claim(withGaps(mostGaps), middle), { kind: 'refused', code: 'invalid_amount' })
  // From its edge it pays as before, with what splits nothing.
  t.is(claim(withGaps(mostGaps), { ...middle, balance: 1001n }).kind, 'claimed')
  t.is(claim(withGaps(mostGaps), { balance: 2001n, price: 1n, mayLeaveGap: true }).kind, 'claimed')
})

test('credit above the most gaps closes the smallest one, the lowest of equals', (t) => {
  const full = at(1000n, ...gapsBelow(mostGaps - 1), [500n, 505n])
  t.is(full.unclaimed.length, mostGaps)
  const after = unclaim(full, { from: 900n, to: 905n })
  t.deepEqual(after.unclaimed, [...full.unclaimed.slice(1), { from: 900n, to: 905n }])
  t.deepEqual(unclaim(at(1000n, ...gapsBelow(mostGaps - 1)), { from: 900n, to: 905n }).unclaimed, [
    ...full.unclaimed.slice(0, -1),
    { from: 900n, to: 905n },
  ])
  // Beside a gap it makes none.
  t.is(claimedSum(unclaim(full, { from: 505n, to: 510n })), claimedSum(full) - 5n)
})

test('books of before that have more gaps come down to the most with the next payment', (t) => {
  const many = at(10_000n, ...gapsBelow(3000))
  const decision = claim(many, { balance: 10_005n, price: 5n, mayLeaveGap: false })
  if (decision.kind === 'refused') return t.fail(decision.code)
  t.is(decision.claims.unclaimed.length, mostGaps)
  t.deepEqual(decision.claims, closeGaps(decision.claims))
})

for (const [attack, buy] of attacks()) {
  test(`6000 purchases with ${attack} write less than a record of ${mostGaps} gaps each`, (t) => {
    let claims = noClaims
    let bytes = 0
    const write = (next: Claims) => {
      claims = next
      bytes += encodeLedger({ ...emptyLedger, claims }).length
    }
    for (let index = 0; index < 6000; index++) buy(claims, BigInt(index), write)
    t.true(claims.unclaimed.length <= mostGaps)
    // Two balances of at most 17 digits, each with its length.
    t.true(bytes < 2 * 6000 * (mostGaps * 18 + 20), `${bytes} bytes`)
  })
}

type Buy = (claims: Claims, index: bigint, write: (next: Claims) => void) => void

function attacks(): readonly (readonly [string, Buy])[] {
  const pay = (claims: Claims, balance: bigint) => {
    const decision = claim(claims, { balance, price: 1n, mayLeaveGap: true })
    return decision.kind === 'claimed' ? decision : undefined
  }
  return [
    [
      'a gap before each',
      (claims, index, write) => {
        const paid = pay(claims, 2n * (index + 1n))
        if (paid) write(paid.claims)
      },
    ],
    [
      'every other unit of one wide gap',
      (claims, index, write) => {
        const paid = pay(claims, index === 0n ? 1_000_000n : 2n * index)
        if (paid) write(paid.claims)
      },
    ],
    [
      'a failure after each that is served',
      (claims, index, write) => {
        const paid = pay(claims, claims.highest + 1n)
        if (paid === undefined) return
        write(paid.claims)
        if (index % 2n === 1n) write(unclaim(paid.claims, paid.paid))
      },
    ],
    [
      'failures of requests that were on their way together',
      (claims, index, write) => {
        // Sixteen at a time, of which every other one fails when all have paid.
        if (index % 16n !== 0n) return
        const { highest } = claims
        let now = claims
        for (let each = 1n; each <= 16n; each++) {
          const paid = pay(now, highest + each)
          if (paid === undefined) continue
          now = paid.claims
          write(now)
        }
        for (let each = 1n; each <= 16n; each += 2n) {
          now = unclaim(now, { from: highest + each - 1n, to: highest + each })
          write(now)
        }
      },
    ],
  ]
}

test('what failed is credit, and neighbouring credit is one interval', (t) => {
  const once = unclaim(at(20n), { from: 5n, to: 10n })
  t.deepEqual(unclaim(once, { from: 10n, to: 15n }), at(20n, [5n, 15n]))
  t.deepEqual(unclaim(at(20n), { from: 5n, to: 5n }), at(20n))
})

test('however requests come: each unit pays once, and the books agree with a naive model', (t) => {
  const request = fc.record({
    balance: fc.bigInt({ min: 0n, max: 60n }),
    price: fc.bigInt({ min: 1n, max: 12n }),
    mayLeaveGap: fc.boolean(),
    fails: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(request, { maxLength: 60 }), (requests) => {
      let claims = noClaims
      const paid = new Set<bigint>()
      for (const { fails, ...asked } of requests) {
        const decision = claim(claims, asked)
        const units = unitsOf(asked.balance - asked.price, asked.balance)
        if (decision.kind === 'refused') continue
        t.true(asked.balance >= asked.price)
        t.true(units.every((unit) => !paid.has(unit)))
        t.true(decision.claims.highest >= claims.highest)
        claims = decision.claims
        if (fails) claims = unclaim(claims, decision.paid)
        else for (const unit of units) paid.add(unit)
        t.is(claimedSum(claims), BigInt(paid.size))
        assertTidy(claims)
      }
    }),
  )

  function assertTidy({ highest, unclaimed }: Claims) {
    let end = -1n
    for (const { from, to } of unclaimed) {
      t.true(from > end && from < to && to <= highest)
      end = to
    }
  }
})

test('one after the other, the rule is the original one: the difference is the price', (t) => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: 0n, max: 100n }),
      fc.bigInt({ min: 1n, max: 100n }),
      fc.bigInt({ min: 0n, max: 250n }),
      (highest, price, balance) => {
        const decision = claim(at(highest), { balance, price, mayLeaveGap: false })
        t.is(decision.kind === 'claimed', balance - highest === price)
      },
    ),
  )
})

/** Of one unit, with one between. */
function gapsBelow(count: number): readonly (readonly [bigint, bigint])[] {
  return Array.from({ length: count }, (_, i) => [BigInt(2 * i), BigInt(2 * i + 1)] as const)
}

function unitsOf(from: bigint, to: bigint): readonly bigint[] {
  return Array.from({ length: Math.max(0, Number(to - from)) }, (_, i) => from + BigInt(i) + 1n)
}
