// How much is sent to whom: up to the target, never over a cap, at each bound from both sides.

import test from 'ava'
import fc from 'fast-check'
import { planFunding, type Recipient } from '../../../../deploy/pi/fleet/fund/plan.ts'
import { parseAddress } from '../../../../protocol/index.ts'

const address = parseAddress('0x00000000000000000000000000000000000000A1')
const one = (change: Partial<Recipient>): Recipient => ({
  host: 'kitchen',
  address,
  owned: 0n,
  target: 10n,
  sent: 0n,
  ...change,
})
const roomy = { each: 100n, all: 1000n }

const cases: readonly (readonly [
  string,
  Partial<Recipient>,
  { readonly each: bigint; readonly all: bigint; readonly sentInAll?: bigint },
  { readonly sends: bigint; readonly missing?: bigint; readonly cap?: 'each' | 'all' },
])[] = [
  ['nothing owned', {}, roomy, { sends: 10n }],
  ['one unit below the target', { owned: 9n }, roomy, { sends: 1n }],
  ['at the target', { owned: 10n }, roomy, { sends: 0n }],
  ['one unit over the target', { owned: 11n }, roomy, { sends: 0n }],
  ['the cap of the account, exactly', {}, { each: 10n, all: 1000n }, { sends: 10n }],
  [
    'one unit over the cap of the account',
    {},
    { each: 9n, all: 1000n },
    { sends: 9n, missing: 1n, cap: 'each' },
  ],
  ['earlier runs count for the account, to the last unit', { sent: 90n }, roomy, { sends: 10n }],
  ['and one more is too much', { sent: 91n }, roomy, { sends: 9n, missing: 1n, cap: 'each' }],
  [
    'sent more than the cap, which was lowered',
    { sent: 101n },
    roomy,
    { sends: 0n, missing: 10n, cap: 'each' },
  ],
  [
    'earlier runs count for all, to the last unit',
    {},
    { ...roomy, sentInAll: 990n },
    { sends: 10n },
  ],
  [
    'and one more is too much for all',
    {},
    { ...roomy, sentInAll: 991n },
    { sends: 9n, missing: 1n, cap: 'all' },
  ],
  [
    'more than all was sent already',
    {},
    { ...roomy, sentInAll: 1001n },
    { sends: 0n, missing: 10n, cap: 'all' },
  ],
]

for (const [name, change, { sentInAll = 0n, ...caps }, expected] of cases) {
  test(name, (t) => {
    const { transfers, shortfalls } = planFunding([one(change)], caps, sentInAll)
    const { sends, missing = 0n, cap } = expected
    t.deepEqual(transfers, sends === 0n ? [] : [{ host: 'kitchen', address, amount: sends }])
    t.deepEqual(
      shortfalls,
      missing === 0n || cap === undefined ? [] : [{ host: 'kitchen', missing, cap }],
    )
  })
}

test('the cap for all is shared in the order of the inventory', (t) => {
  const { transfers, shortfalls } = planFunding(
    [one({ host: 'a' }), one({ host: 'b' }), one({ host: 'c' })],
    { each: 100n, all: 15n },
    0n,
  )
  t.deepEqual(
    transfers.map(({ host, amount }) => [host, amount]),
    [
      ['a', 10n],
      ['b', 5n],
    ],
  )
  t.deepEqual(shortfalls, [
    { host: 'b', missing: 5n, cap: 'all' },
    { host: 'c', missing: 10n, cap: 'all' },
  ])
})

test('whatever is owned and was sent: no cap is broken, no target overshot, and nothing is lost', (t) => {
  const amount = fc.bigInt({ min: 0n, max: 50n })
  const recipients = fc.array(
    fc.record({ owned: amount, target: amount, sent: amount }).map((each) => one(each)),
    { maxLength: 6 },
  )
  fc.assert(
    fc.property(recipients, amount, amount, amount, (all, each, inAll, sentInAll) => {
      const named = all.map((recipient, index) => ({ ...recipient, host: `${index}` }))
      const { transfers, shortfalls } = planFunding(named, { each, all: inAll }, sentInAll)
      const sum = transfers.reduce((total, transfer) => total + transfer.amount, 0n)
      t.true(sum === 0n || sum + sentInAll <= inAll)
      for (const { host, owned, target, sent } of named) {
        const sends = transfers.find((each) => each.host === host)?.amount ?? 0n
        const missing = shortfalls.find((each) => each.host === host)?.missing ?? 0n
        t.true(sends === 0n || (sent + sends <= each && owned + sends <= target))
        t.is(sends + missing, target > owned ? target - owned : 0n)
      }
    }),
  )
  t.pass()
})
