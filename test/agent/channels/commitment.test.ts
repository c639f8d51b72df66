// When a commitment is made and how long it is; and that a ledger has it on the disk before anything of it leaves.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import {
  chainOf,
  type OwnCommitment,
  placeIn,
  signedOf,
  stepFor,
  ticksFor,
} from '../../../agent/channels/commitment.ts'
import { openLedger } from '../../../agent/channels/ledger.ts'
import type { Ledger } from '../../../agent/channels/ledger-types.ts'
import { channelName, decodeEntry, encodeRecord } from '../../../agent/channels/records.ts'
import { openState } from '../../../platform/state/state.ts'
import {
  addressOfKey,
  fromHex,
  isUraidenError,
  parseSignature,
  parseTickWord,
  tickChain,
} from '../../../protocol/index.ts'
import { failNextBatch } from '../../support/failing-level.ts'
import { temporaryFolder } from '../../support/folder.ts'
import {
  buy,
  channel,
  ledgerOn,
  newChannel,
  noon,
  otherChannel,
  otherReceiver,
  testDisk,
} from '../../support/ledger.ts'

const vectors = JSON.parse(
  readFileSync(new URL('../../protocol/ticks-vectors.json', import.meta.url), 'utf8'),
)

const own: OwnCommitment = {
  base: 10n,
  step: 5n,
  ticks: 16,
  last: parseTickWord(`0x${'ab'.repeat(32)}`),
  signature: parseSignature(vectors.cases[0].signature),
}

const steps: readonly (readonly [prices: readonly bigint[], step: bigint | undefined])[] = [
  [[], undefined],
  [[5n], undefined],
  [[5n, 5n], 5n],
  [[5n, 7n], undefined],
  [[5n, 5n, 7n], undefined],
  [[5n, 5n, 7n, 7n], 7n],
  [[6n, 9n, 6n], 3n],
  [[1n, 65n, 1n], undefined],
  [[0n, 0n], undefined],
  [[64n, 1n, 64n], 1n],
]

for (const [prices, step] of steps) {
  test(`prices ${prices.join(', ')}: a step of ${step}`, (t) => {
    t.is(stepFor(prices), step)
  })
}

const free = { base: 0n, step: 5n, price: 5n, deposit: 10_000n, earlier: undefined, most: 256 }

const lengths = [
  { when: 'the first', given: free, ticks: 16 },
  { when: 'one after 16 that are used up', given: { ...free, base: 90n, earlier: own }, ticks: 64 },
  {
    when: 'one after 16 of which some are left',
    given: { ...free, base: 50n, earlier: own },
    ticks: 16,
  },
  {
    when: 'one after 64',
    given: { ...free, base: 330n, earlier: { ...own, ticks: 64 } },
    ticks: 256,
  },
  {
    when: 'one after 256',
    given: { ...free, base: 1290n, earlier: { ...own, ticks: 256 } },
    ticks: 256,
  },
  { when: 'payments of 64 steps', given: { ...free, step: 1n, price: 64n }, ticks: 256 },
  { when: 'the owner allows fewer', given: { ...free, most: 8 }, ticks: 8 },
  { when: 'the deposit ends before', given: { ...free, deposit: 33n }, ticks: 6 },
  { when: 'the deposit holds one payment', given: { ...free, deposit: 9n }, ticks: undefined },
  { when: 'the owner allows none', given: { ...free, most: 0 }, ticks: undefined },
] as const

for (const { when, given, ticks } of lengths) {
  test(`how long: ${when}`, (t) => {
    t.is(ticksFor(given), ticks)
  })
}

test('the chain is that of the vectors', (t) => {
  for (const { w_last, ticks, root, shown, base, step, signature } of vectors.cases) {
    const commitment = {
      ...{ base: BigInt(base), step: BigInt(step), ticks },
      ...{ last: parseTickWord(w_last), signature: parseSignature(signature) },
    }
    const chain = chainOf(commitment)
    t.is(signedOf(commitment, chain).root, root)
    for (const { i, w, balance } of shown) {
      t.is(chain.word(i), w)
      t.is(placeIn(commitment, BigInt(balance)), i === 0 ? undefined : i)
    }
    const all = tickChain(commitment.last, ticks)
    for (let at = 0; at <= ticks; at++) t.true(chain.word(at) === all[at])
  }
})

test('a record with a commitment is read as it was written', (t) => {
  const entry = { ...newChannel(1000n), bound: 100n, commitment: own }
  t.deepEqual(decodeEntry(encodeRecord(entry)), entry)
})

test('what is damaged is not shown: neither the record nor its commitment', (t) => {
  const secret = own.last.slice(2)
  const shown = (change: object) => {
    const record = { ...newChannel(1000n), bound: 100n, commitment: own, ...change }
    const error = t.throws(() => decodeEntry(encodeRecord(record)))
    t.true(isUraidenError(error, 'ledger_damaged'))
    return `${error?.message} ${error?.stack}`
  }
  t.false(shown({ bound: 2000n }).includes(secret))
  t.false(shown({ commitment: { ...own, ticks: 257 } }).includes(secret))
  t.false(shown({ commitment: { ...own, last: `${own.last}00` } }).includes(secret))
})

test('a commitment and the reservation are one write, and the next commitment takes its place', async (t) => {
  const disk = testDisk()
  const ledger = await given(disk)
  const before = disk.writes()
  await ledger.take(channel, { ...buy(5n), commitment: own })
  t.is(disk.writes(), before + 1)
  const written = disk.card().channels.get(channel)
  t.is(written?.commitment, own)
  t.is(written?.bound, 20n)
  await ledger.take(channel, { ...buy(5n), commitment: { ...own, base: 20n } })
  t.is(disk.writes(), before + 2)
  t.is(disk.card().channels.get(channel)?.commitment?.base, 20n)
  t.true((disk.card().channels.get(channel)?.bound ?? 0n) >= 10n)
})

test('on a card that is spared it goes along with a reservation, and else waits in the spool', async (t) => {
  const disk = testDisk('gentle')
  const ledger = await given(disk)
  await ledger.take(channel, { ...buy(5n), commitment: own })
  t.is(disk.card().channels.get(channel)?.commitment, own)
  t.is(disk.card().channels.get(channel)?.bound, 20n)
  const next = { ...own, base: 5n }
  const before = disk.writes()
  await ledger.take(channel, { ...buy(5n), commitment: next })
  t.is(disk.writes(), before)
  t.is(disk.card().channels.get(channel)?.commitment, own)
  t.is((await ledgerOn({ disk })).commitment(channel), next)
  await ledger.flush()
  t.is(disk.card().channels.get(channel)?.commitment, next)
})

for (const when of ['before', 'after'] as const) {
  test(`a write that fails ${when} it reached the disk: nothing is taken`, async (t) => {
    const disk = testDisk()
    const ledger = await given(disk)
    disk.failNext(when)
    await t.throwsAsync(ledger.take(channel, { ...buy(5n), commitment: own }))
    t.is(ledger.get(channel).signed, 0n)
    t.is(ledger.commitment(channel), undefined)
  })
}

test('a budget that is spent lets no commitment be written', async (t) => {
  const disk = testDisk()
  const ledger = await given(disk, { total: 4n })
  const taken = await ledger.take(channel, { ...buy(5n), commitment: own })
  t.true('short' in taken)
  t.is(disk.card().channels.get(channel)?.commitment, undefined)
})

test('an idle channel gives its reservation back, and its commitment lives', async (t) => {
  const disk = testDisk()
  const ledger = await given(disk, { total: 30n })
  await ledger.add(newChannel(1000n, otherReceiver))
  await ledger.take(channel, { ...buy(5n), commitment: own })
  t.is(ledger.get(channel).bound, 20n)
  for (let paid = 0; paid < 5; paid++) await ledger.take(otherChannel, buy(5n))
  t.is(ledger.get(channel).bound, 5n)
  t.is(disk.card().channels.get(channel)?.commitment, own)
  t.is(ledger.commitment(channel), own)
})

test('nothing that shows channels shows the commitment', async (t) => {
  const ledger = await given(testDisk())
  await ledger.take(channel, { ...buy(5n), commitment: own })
  t.false('commitment' in ledger.get(channel))
  t.false(ledger.channels().some((each) => 'commitment' in each))
  t.false(ledger.payable(newChannel(1n).receiver).some((each) => 'commitment' in each))
})

test('when a channel ends its commitment goes with the write', async (t) => {
  const disk = testDisk()
  const ledger = await given(disk)
  await ledger.take(channel, { ...buy(5n), commitment: own })
  await ledger.update(channel, { state: 'closing', settleBlock: 9 })
  t.is(disk.card().channels.get(channel)?.commitment, undefined)
  t.is(ledger.commitment(channel), undefined)
})

async function given(disk: ReturnType<typeof testDisk>, budget = {}): Promise<Ledger> {
  const ledger = await ledgerOn({ disk, budget })
  await ledger.add(newChannel(1000n))
  return ledger
}

const account = addressOfKey(fromHex(`0x${'11'.repeat(32)}`))
const owner = { chainId: 1n, contract: account, account }

async function onFolder(t: ExecutionContext, spool?: string) {
  const folder = join(await temporaryFolder(t), 'state')
  const open = () =>
    openLedger({ ...{ folder, owner, spool, reservation: 4, budget: {} }, readClock: () => noon })
  const older = () => openState({ folder, owner, program: 'agent', format: 2 })
  return { folder, open, older }
}

for (const kind of ['careful', 'gentle'] as const) {
  test(`${kind}: state with a commitment is refused by programs that know none, until none is left`, async (t) => {
    const spool = kind === 'gentle' ? join(await temporaryFolder(t), 'spool') : undefined
    const { open, older } = await onFolder(t, spool)
    const first = await open()
    await first.add(newChannel(1000n))
    await first.close()
    await (await older()).close()
    const second = await open()
    await second.take(channel, { ...buy(5n), commitment: own })
    await second.close()
    await t.throwsAsync(older(), { code: 'state_format_unknown' })
    const third = await open()
    t.deepEqual(third.commitment(channel), own)
    await third.end(channelName(newChannel(1n).receiver, 7), 5n)
    await third.close()
    await t.throwsAsync(older(), { code: 'state_format_unknown' })
    const fourth = await open()
    await fourth.notes.now('any', {})
    await fourth.close()
    await (await older()).close()
  })
}

test('gentle: state whose commitment came by the spool is refused by programs that know none', async (t) => {
  const { open, older } = await onFolder(t, join(await temporaryFolder(t), 'spool'))
  const ledger = await open()
  await ledger.add(newChannel(1000n))
  await ledger.take(channel, buy(5n))
  await ledger.take(channel, { ...buy(5n), commitment: own })
  await ledger.close()
  await t.throwsAsync(older(), { code: 'state_format_unknown' })
  const again = await open()
  t.deepEqual(again.commitment(channel), own)
  await again.close()
})

test('a commitment whose write failed is saved by the next write of it, with the mark', async (t) => {
  const { folder, open, older } = await onFolder(t)
  const ledger = await open()
  await ledger.add(newChannel(1000n))
  const wanted = { ...buy(5n), commitment: own }
  failNextBatch(folder)
  await t.throwsAsync(ledger.take(channel, wanted), { code: 'state_unwritable' })
  t.is(ledger.commitment(channel), undefined)
  await ledger.take(channel, wanted)
  await ledger.close()
  await t.throwsAsync(older(), { code: 'state_format_unknown' })
  const later = await open()
  t.deepEqual(later.commitment(channel), own)
  await later.close()
})

test('model: what ticks prove is never above the bound on disk, whatever is cut when', async (t) => {
  const cut = fc.constantFrom('none', 'none', 'none', 'before', 'after', 'kill', 'powerCut')
  const move = fc.record({
    price: fc.constantFrom(5n, 5n, 5n, 10n, 3n),
    cut,
    commits: fc.boolean(),
  })
  const kinds = fc.constantFrom('careful' as const, 'gentle' as const)
  await fc.assert(
    fc.asyncProperty(kinds, fc.array(move, { maxLength: 40 }), async (kind, moves) => {
      let disk = testDisk(kind)
      let ledger = await given(disk)
      let revealed = 0n
      /** Or in the spool. A write that fails may have reached the disk all the same. */
      const onDisk = new Set<OwnCommitment | undefined>()
      for (const { price, cut: when, commits } of moves) {
        if (when === 'before' || when === 'after') disk.failNext(when)
        const base = ledger.get(channel).signed
        const commitment = commits ? { ...own, base, step: price } : undefined
        const taken = await ledger
          .take(channel, { ...buy(price), commitment })
          .catch(() => undefined)
        onDisk.add((await disk.load()).channels.get(channel)?.commitment)
        const known = ledger.commitment(channel)
        if (taken !== undefined && !('short' in taken) && taken.source !== 'probe') {
          const { to } = taken.interval
          if (known !== undefined && placeIn(known, to) !== undefined) t.true(onDisk.has(known))
          revealed = to > revealed ? to : revealed
          t.true(revealed <= (disk.card().channels.get(channel)?.bound ?? 0n))
          ledger.settle(taken, price)
        }
        if (when === 'kill' || when === 'powerCut') {
          const written = (await disk.load()).channels.get(channel)?.commitment
          disk = disk.killed()
          if (when === 'powerCut') disk.cutPower()
          ledger = await ledgerOn({ disk })
          if (when === 'kill') t.is(ledger.commitment(channel), written)
          const { certain, bound, balance } = ledger.get(channel)
          t.true(certain || bound === balance || balance >= revealed)
          t.true(bound >= revealed)
          await ledger.correct(channel, revealed)
        }
      }
    }),
    { numRuns: 200 },
  )
})
