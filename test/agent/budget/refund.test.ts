// What was paid with an asset and turns out not to be spent is free again in the windows in which it was spent, and in
// no other.
import test from 'ava'
import { assetScopes } from '../../../agent/budget/caps.ts'
import { createLedger } from '../../../agent/channels/ledger.ts'
import { noon, receiver, testClock, testDisk } from '../../support/ledger.ts'

const unit = { symbol: 'USD', decimals: 6 }
const caps = { hour: 100n, day: 100n, month: 100n, total: 100n }
const scopes = assetScopes('USD', receiver, undefined)
const hours = (count: number) => count * 3_600_000

async function given(wall: number) {
  const clock = testClock()
  clock.set({ wall })
  const budget = { assets: { USD: { unit, ...caps } } }
  const storage = testDisk()
  const ledger = await createLedger({ storage, reservation: 1, budget, readClock: clock.read })
  const used = () =>
    Object.fromEntries(ledger.limits(['asset/USD']).map((each) => [each.window, each.used]))
  return { clock, ledger, used }
}

test('within the hour all windows have it back', async (t) => {
  const { ledger, used } = await given(noon.wall)
  const at = ledger.spend(scopes, 7n)
  ledger.spend(scopes, 5n)
  ledger.refund(scopes, 7n, at)
  t.deepEqual(used(), { hour: 5n, day: 5n, month: 5n, total: 5n })
})

test('the hour, the day and the month after have nothing of it', async (t) => {
  // The last hour of November.
  const { clock, ledger, used } = await given(Date.UTC(2026, 10, 30, 23, 30))
  const at = ledger.spend(scopes, 7n)
  clock.pass(hours(2))
  ledger.spend(scopes, 5n)
  ledger.refund(scopes, 7n, at)
  t.deepEqual(used(), { hour: 5n, day: 5n, month: 5n, total: 5n })
})

test('of two amounts the one that was spent then', async (t) => {
  const { clock, ledger, used } = await given(noon.wall)
  const at = ledger.spend(scopes, 7n)
  clock.pass(hours(0.5))
  ledger.spend(scopes, 5n)
  ledger.refund(scopes, 7n, at)
  clock.pass(hours(0.6))
  t.is(used().hour, 5n, 'what was spent later is still in its hour')
})
