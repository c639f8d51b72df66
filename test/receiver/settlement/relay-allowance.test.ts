import test, { type ExecutionContext } from 'ava'
import { parseAddress } from '../../../protocol/index.ts'
import type { Allowance } from '../../../receiver/channels/store.ts'
import {
  openRelayAllowance,
  type RelayLimits,
} from '../../../receiver/settlement/relay-allowance.ts'

const alice = parseAddress(`0x${'aa'.repeat(20)}`)
const bob = parseAddress(`0x${'bb'.repeat(20)}`)
const day = 86_400_000

/** Opened as often as one likes on the same disk. */
function given(t: ExecutionContext, limits: RelayLimits) {
  const kept = new Map<typeof alice, Allowance>()
  let now = 0
  const open = () =>
    openRelayAllowance({
      ...limits,
      now: () => now,
      disk: {
        load: async () => new Map(kept),
        save: async (changes) => {
          for (const [sender, each] of changes) {
            if (each === undefined) kept.delete(sender)
            else kept.set(sender, each)
          }
        },
      },
      onFailure: (error) => t.fail(String(error)),
    })
  const setTime = (time: number) => {
    now = time
  }
  return { kept, open, setTime }
}

test('a sender has its number a day, others have theirs, and it begins anew with the next day', async (t) => {
  const { open, setTime, kept } = given(t, { mostPerDay: 2, mostGasPerDay: 1000n })
  setTime(day - 1)
  const allowance = await open()
  allowance.spend(alice, 10n)
  t.notThrows(() => allowance.check(alice, 10n))
  const late = allowance.spend(alice, 10n)
  t.throws(() => allowance.check(alice, 10n), { code: 'relay_limit' })
  t.notThrows(() => allowance.check(bob, 10n))
  setTime(day)
  t.notThrows(() => allowance.check(alice, 10n))
  // Of yesterday nothing is left on the disk, whatever is still known of it.
  late.used(9n)
  t.is(kept.size, 0)
})

test('gas: exactly the limit is allowed, a unit more is not; what was really used counts', async (t) => {
  const allowance = await given(t, { mostPerDay: 9, mostGasPerDay: 100n }).open()
  const spent = allowance.spend(alice, 60n)
  t.notThrows(() => allowance.check(alice, 40n))
  t.throws(() => allowance.check(alice, 41n), { code: 'relay_limit' })
  spent.used(50n)
  t.notThrows(() => allowance.check(alice, 50n))
  t.throws(() => allowance.check(alice, 51n), { code: 'relay_limit' })
})

test('a restart does not begin the day anew; the next day does, and forgets the one before', async (t) => {
  const { open, setTime, kept } = given(t, { mostPerDay: 1, mostGasPerDay: 100n })
  const before = await open()
  before.spend(alice, 60n).used(50n)
  const after = await open()
  t.throws(() => after.check(alice, 1n), { code: 'relay_limit' })
  t.deepEqual([...kept], [[alice, { day: 0, count: 1, gas: 50n }]])
  setTime(day)
  const nextDay = await open()
  t.notThrows(() => nextDay.check(alice, 100n))
  t.is(kept.size, 0)
})
