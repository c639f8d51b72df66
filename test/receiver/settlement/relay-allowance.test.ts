import test from 'ava'
import { parseAddress } from '../../../protocol/index.ts'
import { createRelayAllowance } from '../../../receiver/settlement/relay-allowance.ts'

const alice = parseAddress(`0x${'aa'.repeat(20)}`)
const bob = parseAddress(`0x${'bb'.repeat(20)}`)
const day = 86_400_000

test('a sender has its number a day, others have theirs, and it begins anew with the next day', (t) => {
  let now = day - 1
  const allowance = createRelayAllowance({ mostPerDay: 2, mostGasPerDay: 1000n }, () => now)
  allowance.spend(alice, 10n)
  t.notThrows(() => allowance.check(alice, 10n))
  allowance.spend(alice, 10n)
  t.throws(() => allowance.check(alice, 10n), { code: 'relay_limit' })
  t.notThrows(() => allowance.check(bob, 10n))
  now = day
  t.notThrows(() => allowance.check(alice, 10n))
})

test('gas: exactly the limit is allowed, a unit more is not; what was really used counts', (t) => {
  const allowance = createRelayAllowance({ mostPerDay: 9, mostGasPerDay: 100n }, () => 0)
  const spent = allowance.spend(alice, 60n)
  t.notThrows(() => allowance.check(alice, 40n))
  t.throws(() => allowance.check(alice, 41n), { code: 'relay_limit' })
  spent.used(50n)
  t.notThrows(() => allowance.check(alice, 50n))
  t.throws(() => allowance.check(alice, 51n), { code: 'relay_limit' })
})
