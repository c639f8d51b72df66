import test from 'ava'
import fc from 'fast-check'
import { parseSignature } from '../../../protocol/index.ts'
import { decodeLedger, encodeLedger } from '../../../receiver/channels/ledger-record.ts'
import { fallbacksUnder, mostFallbacks, provenUnder } from '../../../receiver/channels/proofs.ts'
import { emptyLedger, type PaymentLedger } from '../../../receiver/channels/records.ts'

const signature = parseSignature(`0x${'11'.repeat(64)}1b`)

/** Paid up to `highest`, with these proofs below it. */
function paid(highest: bigint, ...below: readonly bigint[]) {
  return {
    ...emptyLedger,
    claims: { highest, unclaimed: [] },
    proof: { signature, form: 'eip712' as const },
    fallbacks: below.map((balance) => ({ balance, signature, form: 'seed' as const })),
  }
}

const balances = (fallbacks: readonly { readonly balance: bigint }[]) =>
  fallbacks.map(({ balance }) => balance)

test('the best proof counts up to the deposit, and not one unit above it', (t) => {
  const ledger = paid(150n, 40n, 95n)
  t.is(provenUnder(ledger, 150n)?.balance, 150n)
  t.is(provenUnder(ledger, 149n)?.balance, 95n)
  t.is(provenUnder(ledger, 95n)?.balance, 95n)
  t.is(provenUnder(ledger, 94n)?.balance, 40n)
  t.is(provenUnder(ledger, 39n), undefined)
  t.is(provenUnder(emptyLedger, 100n), undefined)
})

test('one proof is kept for each earlier deposit below the new balance', (t) => {
  const before = paid(95n, 40n)
  t.deepEqual(balances(fallbacksUnder(before, paid(105n), [])), [])
  t.deepEqual(balances(fallbacksUnder(before, paid(105n), [100n])), [95n])
  t.deepEqual(balances(fallbacksUnder(before, paid(105n), [50n, 100n])), [40n, 95n])
  t.deepEqual(balances(fallbacksUnder(before, paid(105n), [0n, 99n, 100n])), [95n])
  // Where the new one is under the old deposit, too, it is enough.
  t.deepEqual(balances(fallbacksUnder(before, paid(105n), [105n])), [])
  t.deepEqual(balances(fallbacksUnder(before, paid(105n), [104n])), [95n])
})

test('they are on disk with the ledger', (t) => {
  const ledger = paid(150n, 40n, 95n)
  t.deepEqual(decodeLedger(encodeLedger(ledger)), ledger)
})

test('a top-up in every block makes no long record, and costs the least that is possible', (t) => {
  const below = Array.from({ length: mostFallbacks + 1 }, (_, at) => BigInt(10 * (at + 1)))
  // Of two that are close the upper one proves little more.
  const kept = fallbacksUnder(paid(1000n, 8n, ...below), paid(1001n), [9n, ...below])
  t.is(kept.length, mostFallbacks)
  t.false(balances(kept).includes(10n))
  t.true(balances(kept).includes(8n))
})

test('whatever was topped up and paid: under every earlier deposit there is the best that was proven', (t) => {
  const step = fc.record({
    added: fc.bigInt({ min: 0n, max: 30n }),
    paid: fc.bigInt({ min: 0n, max: 30n }),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: mostFallbacks }), (steps) => {
      let deposit = 20n
      let ledger: PaymentLedger = emptyLedger
      const [earlier, proven] = [[] as bigint[], [] as bigint[]]
      for (const { added, paid: amount } of steps) {
        if (added > 0n) earlier.push(deposit)
        deposit += added
        const balance = ledger.claims.highest + amount
        if (amount === 0n || balance > deposit) continue
        const after = paid(balance)
        ledger = { ...after, fallbacks: fallbacksUnder(ledger, after, earlier) }
        proven.push(balance)
      }
      for (const each of [...earlier, deposit]) {
        t.is(
          provenUnder(ledger, each)?.balance,
          proven.findLast((balance) => balance <= each),
        )
      }
    }),
  )
})
