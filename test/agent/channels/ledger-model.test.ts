// Random lives of a ledger: prices, receivers that lie, lost answers, crashes at any write, clocks that
// jump. Beside it stands the simplest possible model: the set of signed balances, and what was paid when.
import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import type { Budget } from '../../../agent/budget/caps.ts'
import type { Ledger, Taken } from '../../../agent/channels/ledger-types.ts'
import type { ChannelName } from '../../../agent/channels/records.ts'
import {
  buy,
  channel,
  ledgerOn,
  newChannel,
  otherChannel,
  otherReceiver,
  receiver,
  type TestDisk,
  testClock,
  testDisk,
} from '../../support/ledger.ts'

type Step =
  | { readonly kind: 'pay'; readonly other: boolean; readonly price: bigint; readonly end: End }
  | { readonly kind: 'kill' | 'powerCut' | 'stop' | 'flush' }
  | { readonly kind: 'failWrite'; readonly when: 'before' | 'after' }
  | { readonly kind: 'prove'; readonly share: number }
  | { readonly kind: 'assumeWorst' }
  | { readonly kind: 'pass'; readonly minutes: number }
  | { readonly kind: 'wallJumps'; readonly minutes: number }

/** `killed`: the process, after the signature has left. */
type End = 'served' | 'free' | 'half' | 'lost' | 'refused' | 'killed'

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant('pay' as const),
      other: fc.boolean(),
      price: fc.bigInt({ min: 1n, max: 12n }),
      end: fc.constantFrom<End>('served', 'served', 'free', 'half', 'lost', 'refused', 'killed'),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constantFrom('kill' as const, 'powerCut' as const, 'stop' as const),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('flush' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('failWrite' as const),
      when: fc.constantFrom('before' as const, 'after' as const),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('prove' as const), share: fc.nat(100) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('assumeWorst' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('pass' as const), minutes: fc.nat(90) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('wallJumps' as const),
      minutes: fc.integer({ min: -100_000, max: 100_000 }),
    }),
  },
)

interface Exposure {
  readonly name: ChannelName
  /** In minutes. */
  readonly at: number
  readonly amount: bigint
}

interface Life {
  readonly t: ExecutionContext
  readonly kind: 'careful' | 'gentle'
  disk: TestDisk
  readonly clock: ReturnType<typeof testClock>
  readonly budget: Budget
  readonly reservation: number
  ledger: Ledger
  /** Every balance that a signature was made for, by channel: what the receiver could cash. */
  readonly signed: Map<string, bigint>
  /** What was taken for spent although no signature left for it, by channel: the ledger counts it when it is. */
  readonly assumed: Map<string, bigint>
  /** First-time signatures, with the true time: re-signing what was signed before costs nothing. */
  exposed: readonly Exposure[]
  /** Signed since the last start: a crash hides what. */
  readonly unwritten: Set<ChannelName>
  /** True time, which only passes. */
  time: number
}

const paying = (price: bigint, end: End, other = true): Step => ({ kind: 'pay', other, price, end })

/** Once found among a hundred thousand: steps, total, cap of an hour, deposit, reservation. */
const hardLives: [Step[], bigint, bigint, bigint, number][] = [
  // What was given back before a crash, and counted as spent no more.
  [
    [
      ...[paying(7n, 'lost'), paying(1n, 'served'), paying(7n, 'refused'), paying(2n, 'served')],
      { kind: 'kill' },
      paying(3n, 'served', false),
    ],
    ...([10n, 10n, 11n, 2] as const),
  ],
  [
    [
      ...[paying(7n, 'lost'), paying(1n, 'served'), paying(7n, 'refused')],
      { kind: 'stop' },
      paying(1n, 'served'),
      { kind: 'powerCut' },
      paying(1n, 'served', false),
    ],
    ...([8n, 8n, 8n, 1] as const),
  ],
  // A kill forgets what was only assumed, where the spool tells what was signed.
  [
    [paying(1n, 'served'), { kind: 'assumeWorst' }, { kind: 'kill' }, paying(1n, 'served', false)],
    ...([2n, 2n, 2n, 2] as const),
  ],
  // The receiver shows an older proof of what it gave back.
  [
    [
      ...[paying(2n, 'lost', false), paying(6n, 'served', false), paying(2n, 'refused', false)],
      { kind: 'prove', share: 25 },
    ],
    ...([8n, 8n, 8n, 1] as const),
  ],
]

for (const kind of ['careful', 'gentle'] as const) {
  test(`signed ≤ persisted ≤ deposit, spent ≤ every cap, no unit is paid with twice, with a card that is ${kind}`, async (t) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 60 }),
        fc.bigInt({ min: 0n, max: 150n }),
        fc.bigInt({ min: 0n, max: 60n }),
        fc.bigInt({ min: 0n, max: 120n }),
        fc.integer({ min: 1, max: 8 }),
        async (steps, total, hour, deposit, reservation) => {
          const life = await begin({ t, kind, reservation }, { total, hour }, deposit)
          for (const each of steps) {
            await live(life, each)
            await check(life)
          }
        },
      ),
      { numRuns: 300, examples: hardLives },
    )
  })
}

async function begin(
  given: Pick<Life, 't' | 'kind' | 'reservation'>,
  budget: Budget,
  deposit: bigint,
): Promise<Life> {
  const { kind, reservation } = given
  const disk = testDisk(kind)
  const clock = testClock()
  const ledger = await ledgerOn({ disk, clock: clock.read, budget, reservation })
  await ledger.add(newChannel(deposit))
  await ledger.add(newChannel(deposit, otherReceiver))
  const signed = new Map([
    [channel as string, 0n],
    [otherChannel as string, 0n],
  ])
  return {
    ...given,
    disk,
    clock,
    budget,
    ledger,
    signed,
    assumed: new Map(),
    exposed: [],
    unwritten: new Set(),
    time: 0,
  }
}

async function live(life: Life, step: Step): Promise<void> {
  const { clock, disk } = life
  switch (step.kind) {
    case 'pay':
      return pay(life, step.other, step.price, step.end)
    case 'failWrite':
      return disk.failNext(step.when)
    case 'flush':
      return life.ledger.flush().catch(() => undefined)
    case 'stop':
    case 'kill':
    case 'powerCut':
      return endLife(life, step.kind)
    case 'prove': {
      const all = life.signed.get(channel) ?? 0n
      // A receiver shows any signature that it once got: the best one, or an older one.
      const balance = (all * BigInt(step.share)) / 100n
      await life.ledger.correct(channel, balance).catch(() => undefined)
      return
    }
    case 'assumeWorst':
      await life.ledger.assumeWorst(otherChannel)
      return expose(life, otherChannel, life.ledger.get(otherChannel).top)
    case 'pass':
      life.time += step.minutes
      return clock.pass(step.minutes * 60_000)
    case 'wallJumps':
      return clock.set({ wall: Math.max(0, clock.read().wall + step.minutes * 60_000) })
  }
}

async function endLife(life: Life, how: 'stop' | 'kill' | 'powerCut'): Promise<void> {
  const { t, kind, clock, budget, reservation } = life
  const before = life.ledger
  if (how === 'stop') await before.close().catch(() => undefined)
  else life.disk = life.disk.killed()
  if (how === 'powerCut') life.disk.cutPower()
  life.ledger = await ledgerOn({ disk: life.disk, clock: clock.read, budget, reservation })
  for (const name of life.unwritten) {
    const { certain, top } = life.ledger.get(name)
    t.true(top >= (life.signed.get(name) ?? 0n), 'it knows less than was signed')
    if (how === 'powerCut' || (how === 'kill' && kind === 'careful')) t.false(certain)
    // Nobody has to be asked.
    if (how === 'kill' && kind === 'gentle') t.is(certain, before.get(name).certain)
  }
  life.unwritten.clear()
  for (const name of [channel, otherChannel]) forgetAssumed(life, name)
}

/** Where the spool tells what was signed, what was only assumed above it is not spent after a kill. */
function forgetAssumed(life: Life, name: ChannelName): void {
  const { assumed, ledger } = life
  const known = ledger.get(name).top
  let excess = (assumed.get(name) ?? 0n) - known
  if (excess <= 0n) return
  assumed.set(name, known)
  const kept: Exposure[] = []
  for (const each of life.exposed.toReversed()) {
    const less =
      each.name !== name || excess <= 0n ? 0n : each.amount < excess ? each.amount : excess
    excess -= less
    kept.unshift({ ...each, amount: each.amount - less })
  }
  life.exposed = kept
}

async function pay(life: Life, other: boolean, price: bigint, end: End): Promise<void> {
  const { ledger, t } = life
  const name = other ? otherChannel : channel
  const taken = await ledger.take(name, buy(price)).catch(() => undefined)
  // A write in the background may have met the failing disk.
  if (taken === undefined || 'short' in taken) return
  const { to } = taken.interval
  const stored = life.disk.card().channels.get(name)
  t.true(stored !== undefined && to <= stored.bound, 'signed above what is on disk')
  if (taken.source !== 'probe') life.unwritten.add(name)
  const before = life.signed.get(name) ?? 0n
  if (to > before) life.signed.set(name, to)
  expose(life, name, to)
  if (end === 'killed') return endLife(life, 'kill')
  conclude(ledger, taken, price, end)
}

/** Counts what is new of it in this hour. */
function expose(life: Life, name: ChannelName, to: bigint): void {
  const { assumed, exposed, time } = life
  const before = assumed.get(name) ?? 0n
  if (to <= before) return
  assumed.set(name, to)
  life.exposed = [...exposed, { name, at: time, amount: to - before }]
}

function conclude(ledger: Ledger, taken: Taken, price: bigint, end: Exclude<End, 'killed'>): void {
  const cost = { served: price, half: price / 2n, free: 0n, refused: 0n }
  if (end === 'lost') ledger.leaveInDoubt(taken)
  else ledger.settle(taken, cost[end])
}

async function check({ t, disk, ledger, signed, exposed, budget, time }: Life): Promise<void> {
  const { channels } = disk.card()
  let all = 0n
  for (const [name, entry] of channels) {
    const highest = signed.get(name) ?? 0n
    t.true(highest <= entry.bound && entry.bound <= entry.deposit)
    all += highest
  }
  t.true(all <= (budget.total ?? 0n), 'more signed than the budget in all')
  const lastHour = exposed
    .filter(({ at }) => at > time - 60)
    .reduce((sum, { amount }) => sum + amount, 0n)
  t.true(lastHour <= (budget.hour ?? 0n), 'more signed in an hour than its cap')
  for (const { free, signed: position } of ledger.channels(receiver)) {
    let last = -1n
    for (const { from, to } of free) {
      // One ends at the position where the receiver shows an older proof of what it gave back.
      t.true(last < from && from < to && to <= position)
      last = to
    }
  }
}
