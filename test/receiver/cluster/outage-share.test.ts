// While nobody looks at the chain: all channels together owe no more than the limit, whoever of several processes lets
// them, and whatever was on its way when the outage began.
import test, { type ExecutionContext } from 'ava'
import { noteRound } from '../../../receiver/cluster/chain-facts.ts'
import { beat } from '../../../receiver/cluster/membership.ts'
import { createOutageShare, type LastRound } from '../../../receiver/cluster/outage-share.ts'
import { paymentOf, said, sender } from '../../support/ledgers.ts'
import { sharedPostgres, withPostgres } from '../../support/postgres.ts'
import { givenState, joinState } from '../../support/shared-state.ts'

const postgres = sharedPostgres(test)
const shared = withPostgres(test)
const round: LastRound = { due: 40n, at: 0, processes: 3, isCounted: true }

function given() {
  let time = 1000
  let answers = false
  const share = createOutageShare(100n, () => time)
  share.answersBy(() => answers)
  return {
    ...share,
    turn: (to: boolean) => (answers = to),
    at: (to: number) => (time = to),
    take: (balance: bigint, highest = 0n, openBlock = 1) =>
      share.take({ name: `${sender}/${openBlock}`, balance, highest }),
  }
}

test('a share is what was left at the last round by the number of processes, to the unit', (t) => {
  const { take, heard, isSpent } = given()
  t.is(take(1n), undefined, 'none before the first round')
  heard(round)
  t.is(take(21n), undefined)
  t.false(isSpent())
  const settle = take(20n)
  t.truthy(settle)
  t.true(isSpent(), 'also while it is on its way')
  settle?.(true)
  t.is(take(21n, 20n), undefined)
  t.truthy(take(15n, 20n), 'what was owed already needs nothing')
  t.is(take(1n, 0n, 2), undefined, 'of another channel')
})

test('who came after the last round has no share, nor anybody when the limit was reached', (t) => {
  const { take, heard } = given()
  for (const each of [{ isCounted: false }, { due: 100n }, { due: 120n }]) {
    heard({ ...round, ...each })
    t.is(take(1n), undefined)
  }
})

test('what is refused is put back, and of many on one channel only the highest counts', (t) => {
  const { take, heard } = given()
  heard(round)
  const settles = [5n, 20n, 10n, 15n].map((balance) => take(balance))
  t.true(settles.every((settle) => settle !== undefined))
  t.is(take(1n, 0n, 2), undefined)
  settles[1]?.(false)
  // 15 are on their way.
  t.is(take(6n, 0n, 2), undefined)
  for (const at of [0, 2, 3]) settles[at]?.(true)
  t.is(take(6n, 0n, 2), undefined)
  t.truthy(take(5n, 0n, 2))
})

test('what others have paid meanwhile is not ours to count', (t) => {
  const { take, heard } = given()
  heard(round)
  const first = take(10n)
  t.truthy(take(30n, 25n))
  first?.(true)
  t.is(take(46n, 25n), undefined)
  t.truthy(take(45n, 25n))
})

test('payments of before count from the last round on, and are not held against anybody in none', (t) => {
  const { take, heard, turn, at } = given()
  heard(round)
  turn(true)
  take(500n)?.(true)
  at(2000)
  take(512n, 500n)?.(true)
  const late = take(515n, 512n)
  heard({ ...round, at: 1900 })
  turn(false)
  t.is(take(521n, 512n), undefined, '12 since then, and 3 on their way')
  late?.(true)
  t.truthy(take(520n, 515n))
})

async function processes(t: ExecutionContext, mostInAll: bigint) {
  const state = await givenState(t, await postgres())
  let passed = 0
  const now = () => performance.now() + passed
  const join = async () => {
    const share = createOutageShare(mostInAll, now)
    share.answersBy(() => false)
    const process = await joinState(state.settings, { share })
    t.teardown(process.leave)
    const hear = async () => {
      const asked = now()
      const { due } = await beat(process.database, process.seat())
      if (due) share.heard({ ...due, due: due.sum, at: asked - due.age })
    }
    return { ...process, hear }
  }
  const dueInAll = async () => {
    const [row] = await state.database.query('SELECT sum(highest) AS sum FROM ledger')
    return row?.sum
  }
  const lookedAt = async (sum: bigint) => {
    const [row] = await state.database.query<{ at: string }>('SELECT now()::text AS at')
    const due = { sum, at: row?.at ?? '' }
    await noteRound(state.database, { head: 1, contractHead: 1, due })
  }
  const pass = (milliseconds: number) => {
    passed += milliseconds
  }
  return { ...state, join, dueInAll, lookedAt, pass }
}

shared(
  'two processes together let their channels owe what the limit says, and not a unit more',
  async (t) => {
    const { open, join, dueInAll, lookedAt, pass } = await processes(t, 100n)
    const [one, two] = [await join(), await join()]
    const channel = await open(1000n)
    await lookedAt(0n)
    for (const { hear } of [one, two]) await hear()
    const late = await join()
    await late.hear()
    const pay = async ({ ledgers }: typeof one, balance: bigint, on = channel) =>
      said(await ledgers.claim(paymentOf(on, balance, 5n)))
    const other = await open(1000n)
    const more = await open(1000n)
    // All at once, the highest last and first.
    const balances = Array.from({ length: 12 }, (_, at) => 5n * BigInt(at + 1))
    const [rising, falling] = await Promise.all([
      Promise.all(balances.map((balance) => pay(one, balance))),
      Promise.all(balances.toReversed().map((balance) => pay(two, balance, other))),
    ])
    const [claimed, refused] = [Array(10).fill('claimed'), Array(2).fill('chain_unavailable')]
    t.deepEqual(
      [rising, falling],
      [
        [...claimed, ...refused],
        [...refused, ...claimed],
      ],
    )
    t.is(await dueInAll(), 100n)
    for (const process of [one, two, late]) t.is(await pay(process, 5n, more), 'chain_unavailable')
    t.is(await dueInAll(), 100n)

    // The next round gives out what is left by then, to three.
    pass(1000)
    await lookedAt(70n)
    for (const process of [one, two, late]) {
      await process.hear()
      t.is(await pay(process, 15n, await open(1000n)), 'chain_unavailable')
      t.is(await pay(process, 10n, await open(1000n)), 'claimed')
    }
  },
)
