// Ticks at the receiver: the attacks of docs/reference/ticks.md, one by one. Those on the wire are in
// test/receiver/http/ticks.test.ts.
import { join } from 'node:path'
import test from 'ava'
import fc from 'fast-check'
import { openState } from '../../../platform/state/state.ts'
import { isTickForm, isTickProof, maxTokenAmount, parseTickWord } from '../../../protocol/index.ts'
import {
  commitmentOf,
  decodeLedger,
  encodeLedger,
} from '../../../receiver/channels/ledger-record.ts'
import { mergeLedger } from '../../../receiver/channels/merge.ts'
import { provenUnder, shownProof } from '../../../receiver/channels/proofs.ts'
import { isTicked, type PaymentLedger } from '../../../receiver/channels/records.ts'
import { crashCopy, temporaryFolder } from '../../support/folder.ts'
import {
  channel,
  commit,
  created,
  domain,
  givenBooks,
  hashOf,
  openBlock,
  owner,
  sender,
  signed,
  toppedUp,
} from '../../support/tick-books.ts'
import { commitTicks } from '../../support/ticks.ts'

const garbage = (at: number) => parseTickWord(`0x${at.toString(16).padStart(64, '0')}`)

test('the commitment comes once, then a tick is enough; each is one recovery or one hash', async (t) => {
  const { pay, checks, ledger } = await givenBooks(t)
  const ticks = commit()
  t.is(await pay(5n, ticks.proof(1)), 'tick_unknown', 'none is known')
  t.is(await pay(5n, ticks.first(1)), 'paid')
  t.deepEqual(checks, { recoveries: 1, hashes: 1 })
  t.is(await pay(10n, ticks.first(2)), 'paid', 'until an answer came, it comes again')
  t.is(await pay(15n, ticks.proof(3)), 'paid')
  t.deepEqual(checks, { recoveries: 1, hashes: 3 })
  t.like(ledger(), { claims: { highest: 15n, unclaimed: [] }, proof: { index: 3, form: 'eip712' } })
})

test('a signature goes beside a commitment, on the grid and off it, until it has passed the end', async (t) => {
  const { pay, ledger, checks } = await givenBooks(t)
  const ticks = commit({ ticks: 4 })
  t.is(await pay(5n, ticks.first(1)), 'paid')
  t.is(await pay(12n, { signature: signed(12n) }, 7n), 'paid')
  t.like(ledger(), { proof: { signature: signed(12n) }, ticks: { index: 1 } })
  t.is(await pay(15n, { signature: signed(15n) }, 3n), 'paid')
  t.is(await pay(20n, ticks.proof(4)), 'paid', 'it goes on')
  t.is(checks.hashes, 1 + 3)
  t.is(await pay(25n, { signature: signed(25n) }), 'paid')
  t.is(ledger().ticks, undefined)
})

test('what covers a balance already is not looked at: neither ticks nor signatures', async (t) => {
  const { pay, checks } = await givenBooks(t)
  const ticks = commit()
  t.is(await pay(20n, ticks.first(4)), 'paid', 'a gap below')
  const before = { ...checks }
  t.is(await pay(5n), 'paid')
  t.is(await pay(10n, { tick: garbage(1) }), 'paid')
  t.is(await pay(15n, { signature: signed(1n) }), 'paid')
  t.deepEqual(checks, before)
  t.is(await pay(10n), 'balance_spent')
  t.is(await pay(25n), 'payment_required', 'above the best proof there is none without one')
  t.is(await pay(25n, ticks.proof(5)), 'paid', 'and nothing of that is held against the commitment')
})

test('a wrong tick costs its sender the commitment, and us 256 hashes at most', async (t) => {
  const { pay, checks, ledger, book } = await givenBooks(t)
  const ticks = commit({ ticks: 256 })
  t.is(await pay(5n, ticks.first(1)), 'paid')
  const before = { ...checks }
  t.is(await pay(1280n, { tick: garbage(7) }, 1275n), 'tick_unknown')
  t.deepEqual(checks, { ...before, hashes: before.hashes + 255 })
  t.is(ledger().ticks, undefined)
  t.like(ledger().proof, { index: 1 }, 'the best proof is kept')
  for (let at = 0; at < 1000; at++) t.is(await pay(10n, { tick: garbage(at) }), 'tick_unknown')
  t.deepEqual(checks, { ...before, hashes: before.hashes + 255 }, 'after that it costs nothing')
  t.is(await pay(10n, ticks.proof(2)), 'tick_unknown')
  t.is(await pay(10n, ticks.first(2)), 'paid', 'it comes back with its signature')
  await book.flush()
})

test('garbage with a commitment of its own is one recovery and no more hashes than ticks, a thousand times', async (t) => {
  const { book, pay, checks, manager } = await givenBooks(t)
  const [other, ticks] = [8, commit({ ticks: 16 })]
  await book.confirm([created(100n, other)], { block: other, hash: hashOf(other) })
  const others = commitTicks(
    { ...channel, openBlock: other },
    { domain, key: `0x${'11'.repeat(32)}` },
  )
  for (let at = 0; at < 1000; at++) {
    const wrong = { tick: garbage(at), commitment: ticks.commitment }
    t.is(await pay(80n, wrong, 80n), 'tick_unknown')
  }
  t.deepEqual(checks, { recoveries: 1000, hashes: 16_000 })
  const payment = { sender, openBlock: other, balance: 5n, amount: 5n, bound: true as const }
  t.is((await manager.registerPayment({ ...payment, ...others.first(1) }, 5n)).kind, 'paid')
})

test('what no commitment of the sender says is none', async (t) => {
  const { pay, checks, ledger } = await givenBooks(t)
  const elsewhere = commitTicks(
    { ...channel, openBlock: 8 },
    { domain, key: `0x${'11'.repeat(32)}` },
  )
  const foreign = commitTicks(channel, { domain, key: `0x${'55'.repeat(32)}` })
  t.is(await pay(5n, elsewhere.first(1)), 'invalid_balance_proof', 'of another channel')
  t.is(await pay(5n, foreign.first(1)), 'invalid_balance_proof', 'of another sender')
  t.is(checks.hashes, 0)
  const ticks = commit({ base: 5n, ticks: 4 })
  t.is(await pay(5n, ticks.first(0)), 'paid', 'the root proves the base')
  t.is(await pay(12n, ticks.proof(1), 7n), 'tick_unknown', 'off the grid')
  t.is(await pay(30n, ticks.proof(4), 25n), 'tick_unknown', 'behind the end')
  t.like(ledger().ticks, { index: 0 }, 'neither is a wrong tick')
  t.is(await pay(25n, ticks.proof(4), 20n), 'paid')
  const refused = commit({ base: 25n, ticks: 4, last: `0x${'0a'.repeat(32)}` })
  t.is(await pay(30n, { tick: ticks.word(1), commitment: refused.commitment }), 'tick_unknown')
  t.like(ledger().ticks, { index: 4 }, 'one that is not known yet takes no place')
})

test('all 256 in one payment; gaps as many as signatures may leave', async (t) => {
  const { pay, ledger } = await givenBooks(t)
  const all = commit({ ticks: 256 })
  t.is(await pay(1280n, all.first(256), 1280n), 'paid')
  const more = commit({ base: 1280n, ticks: 256, last: `0x${'0b'.repeat(32)}` })
  t.is(await pay(more.balance(2), more.first(2)), 'paid')
  for (let at = 2; at <= 64; at++) t.is(await pay(more.balance(2 * at), more.proof(2 * at)), 'paid')
  t.is(ledger().claims.unclaimed.length, 64)
  t.is(await pay(more.balance(130), more.proof(130)), 'invalid_amount', 'one gap too many')
  t.is(await pay(more.balance(129), more.proof(129)), 'paid', 'without a gap')
})

for (const order of [
  [1, 2, 3],
  [1, 3, 2],
  [2, 1, 3],
  [2, 3, 1],
  [3, 1, 2],
  [3, 2, 1],
]) {
  test(`ticks ${order.join(', ')}, in this order and at once, pay once each`, async (t) => {
    const { pay, ledger } = await givenBooks(t)
    const ticks = commit()
    const once = () => Promise.all(order.map((i) => pay(ticks.balance(i), ticks.first(i))))
    t.deepEqual(await once(), ['paid', 'paid', 'paid'])
    t.deepEqual(await once(), ['balance_spent', 'balance_spent', 'balance_spent'])
    t.like(ledger(), { claims: { highest: 15n, unclaimed: [] }, ticks: { index: 3 } })
  })
}

test('a new commitment replaces the old one, whose late ticks need no proof', async (t) => {
  const { pay, checks, ledger } = await givenBooks(t)
  const old = commit()
  t.is(await pay(5n, old.first(1)), 'paid')
  const fresh = commit({ base: 15n, last: `0x${'0c'.repeat(32)}` })
  t.is(await pay(20n, fresh.first(1)), 'paid')
  const before = { ...checks }
  t.is(await pay(15n, old.proof(3)), 'paid')
  t.is(await pay(10n, old.proof(2)), 'paid')
  t.deepEqual(checks, before)
  t.is(await pay(25n, old.proof(5)), 'tick_unknown', 'above it only a wrong sender does that')
  t.is(ledger().ticks, undefined)
  t.is(await pay(25n, fresh.first(2)), 'paid')
})

test('a commitment may reach above the deposit, a tick not before there is a deposit for it', async (t) => {
  const { book, pay } = await givenBooks(t, { deposit: 20n })
  const ticks = commit({ step: 10n, ticks: 256 })
  t.is(await pay(10n, ticks.first(1), 10n), 'paid')
  t.is(await pay(30n, ticks.proof(3), 20n), 'balance_over_deposit')
  await book.confirm([toppedUp(10n, 9)], { block: 9, hash: hashOf(9) })
  t.is(await pay(30n, ticks.proof(3), 20n), 'paid')
})

test('a tick waits for a deposit to be deep, as a signature does', async (t) => {
  const limits = { steps: [{ blocks: 1, mostOwed: 10n }, { blocks: 5 }] }
  const { book, pay } = await givenBooks(t, { limits })
  const ticks = commit({ step: 10n })
  t.is(await pay(10n, ticks.first(1), 10n), 'paid')
  t.is(await pay(20n, ticks.proof(2), 10n), 'insufficient_confirmations')
  await book.confirm([], { block: 20, hash: hashOf(20) })
  t.is(await pay(20n, ticks.proof(2), 10n), 'paid')
})

test('a deposit that sinks: hashed down, the same tick proves what is left', async (t) => {
  const { book, pay, checks, ledger } = await givenBooks(t, { deposit: 20n })
  const ticks = commit({ base: 0n, step: 6n })
  t.is(await pay(6n, ticks.first(1), 6n), 'paid')
  await book.confirm([toppedUp(80n, 9)], { block: 9, hash: hashOf(9) })
  t.is(await pay(90n, ticks.proof(15), 84n), 'paid')
  t.is(ledger().fallbacks, undefined, 'it proves as much under the old deposit as was there')
  await book.rollBack({ block: openBlock, hash: hashOf(openBlock) })
  const left = provenUnder(ledger(), 20n)
  t.is(left?.balance, 18n)
  t.true(left && isTickForm(left.signature))
  if (!left || !isTickForm(left.signature)) return
  t.true(isTickProof(domain, channel, { balance: 18n, proof: left.signature }))
  t.is(await pay(20n, {}, 2n), 'balance_spent', 'it was paid')
  t.is(checks.recoveries, 1)
})

test('a deposit that sinks below a commitment: the proof of before answers, and what is above is asked for again', async (t) => {
  const { book, pay, ledger } = await givenBooks(t, { deposit: 20n })
  t.is(await pay(5n, { signature: signed(5n) }), 'paid')
  await book.confirm([toppedUp(80n, 9)], { block: 9, hash: hashOf(9) })
  const ticks = commit({ base: 30n })
  t.is(await pay(35n, ticks.first(1)), 'paid')
  t.is(await pay(5n), 'balance_spent')
  await book.rollBack({ block: openBlock, hash: hashOf(openBlock) })
  t.deepEqual(provenUnder(ledger(), 20n), { balance: 5n, signature: signed(5n), form: 'eip712' })
  t.is(await pay(10n), 'payment_required', 'nothing under this deposit proves it')
  t.is(await pay(10n, { signature: signed(10n) }), 'paid')
  t.is(provenUnder(ledger(), 20n)?.balance, 10n)
  t.is(await pay(35n, ticks.proof(1)), 'balance_over_deposit')
  await book.confirm([toppedUp(80n, 10)], { block: 10, hash: hashOf(10) })
  t.is(await pay(40n, ticks.proof(2)), 'paid')
  t.is(provenUnder(ledger(), 20n)?.balance, 10n)
})

test('with an agreement to close no tick is taken any more', async (t) => {
  const { pay, manager, ledger } = await givenBooks(t)
  const ticks = commit()
  t.is(await pay(5n, ticks.first(1)), 'paid')
  await manager.agreeToClose(sender, openBlock, 5n)
  t.is(await pay(10n, ticks.proof(2)), 'nonexisting_channel')
  t.is(ledger().claims.highest, 5n)
})

test('ticks are of bound requests only', async (t) => {
  const { manager } = await givenBooks(t)
  const payment = { sender, openBlock, balance: 5n, amount: 5n, ...commit().first(1) }
  t.like(await manager.registerPayment(payment, 5n), { kind: 'refused', code: 'payment_required' })
})

test('killed at any write, nothing that was served is without its proof', async (t) => {
  const { folder, pay, ledger } = await givenBooks(t)
  const copies = await temporaryFolder(t)
  const first = commit()
  const second = commit({ base: 17n, last: `0x${'0d'.repeat(32)}` })
  const steps = [
    () => pay(5n, first.first(1)),
    () => pay(10n, first.proof(2)),
    () => pay(17n, { signature: signed(17n) }, 7n),
    () => pay(22n, second.first(1)),
    () => pay(32n, second.proof(3)),
    () => pay(27n, second.proof(2)),
    async () => ((await pay(37n, { tick: garbage(1) })) === 'tick_unknown' ? 'paid' : 'taken'),
    () => pay(44n, { signature: signed(44n) }, 12n),
  ]
  for (const [at, each] of steps.entries()) {
    t.is(await each(), 'paid', `${at}`)
    const found = await givenBooks(t, { folder: await crashCopy(folder, join(copies, `${at}`)) })
    const { claims, proof } = found.ledger()
    t.deepEqual(claims, ledger().claims)
    t.deepEqual(proof, ledger().proof)
    // A crash may forget that a wrong tick came.
    if (at !== 6) t.deepEqual(found.ledger().ticks, ledger().ticks)
    if (at === 5) t.is(await found.pay(37n, second.proof(4)), 'paid')
  }
})

test('full disk between check and write: not served, and the same tick pays once it is well', async (t) => {
  const { store, pay, book, folder } = await givenBooks(t)
  const ticks = commit()
  const { saveLedger } = store
  const writable = store as { -readonly [Key in keyof typeof store]: (typeof store)[Key] }
  writable.saveLedger = async () => {
    throw new Error('no space left on device')
  }
  await t.throwsAsync(pay(5n, ticks.first(1)), { message: /no space/ })
  writable.saveLedger = saveLedger
  t.is(await pay(5n, ticks.first(1)), 'paid')
  await book.flush()
  const copy = await crashCopy(folder, join(await temporaryFolder(t), 'copy'))
  const after = await givenBooks(t, { folder: copy })
  t.is(await after.pay(10n, ticks.proof(2)), 'paid')
})

test('an older state of the receiver: more hashes, or the commitment once more', async (t) => {
  const { folder, pay } = await givenBooks(t)
  const copies = await temporaryFolder(t)
  const ticks = commit()
  t.is(await pay(5n, ticks.first(1)), 'paid')
  const withIt = await crashCopy(folder, join(copies, 'with'))
  t.is(await pay(40n, ticks.proof(8), 35n), 'paid')
  const older = await givenBooks(t, { folder: withIt })
  t.is(await older.pay(45n, ticks.proof(9)), 'paid')
  t.deepEqual(older.checks, { recoveries: 0, hashes: 8 })
  const without = await givenBooks(t)
  t.is(await without.pay(45n, ticks.proof(9)), 'tick_unknown')
  t.is(await without.pay(45n, ticks.first(9)), 'paid')
})

test('the record of a tick is 38 bytes; its commitment is written once beside it', async (t) => {
  const { pay, ledger, store } = await givenBooks(t)
  const ticks = commit({ base: 10_000n - 80n })
  t.is(await pay(9_925n, ticks.first(1), 9_925n), 'paid')
  const { fallbacks: _, ...kept } = ledger()
  const written = encodeLedger(kept)
  t.is(written.length, 38)
  t.deepEqual(decodeLedger(written, { commitment: commitmentOf(kept) }), kept)
  t.throws(() => decodeLedger(written))
  t.deepEqual((await store.readLedgers()).get(`${sender}/${openBlock}`), kept)
})

test('a program that knows no ticks refuses the state', async (t) => {
  const { folder, pay } = await givenBooks(t)
  t.is(await pay(5n, commit().first(1)), 'paid')
  const copy = await crashCopy(folder, join(await temporaryFolder(t), 'copy'))
  const former = { folder: copy, owner, program: 'receiver' as const, format: 3, upgrades: {} }
  await t.throwsAsync(openState(former), { code: 'state_format_unknown' })
})

test('under every deposit a tick proves the highest balance of its grid, as the contract takes it', (t) => {
  const amounts = fc.bigInt({ min: 0n, max: 40n })
  fc.assert(
    fc.property(
      amounts,
      fc.bigInt({ min: 1n, max: 7n }),
      fc.nat(6),
      amounts,
      (base, each, i, d) => {
        const ticks = commit({ base, step: each, ticks: 6 })
        const proof = {
          ...(ticks.commitment && { commitment: ticks.commitment }),
          index: i,
          word: ticks.word(i),
          form: 'eip712' as const,
        }
        const balance = ticks.balance(i)
        const ledger = { claims: { highest: balance, unclaimed: [] }, proof }
        const kept = {
          claims: { highest: 1000n, unclaimed: [] },
          fallbacks: [{ balance, signature: shownProof(proof), form: proof.form }],
        }
        const covered = [...Array(i + 1).keys()].map(ticks.balance).findLast((other) => other <= d)
        for (const found of [provenUnder(ledger, d), provenUnder(kept, d)]) {
          t.is(found?.balance, covered)
          if (found === undefined || !isTickForm(found.signature)) continue
          t.true(isTickProof(domain, channel, { balance: found.balance, proof: found.signature }))
        }
      },
    ),
    { numRuns: 40 },
  )
})

test('of a tick and a signature in two states the higher one stays, with the commitment', (t) => {
  const ticks = commit({ ticks: 256 })
  const at = (index: number): PaymentLedger => {
    const proof = {
      commitment: ticks.commitment,
      index,
      word: ticks.word(index),
      form: 'eip712' as const,
    }
    const claims = { highest: ticks.balance(index), unclaimed: [] }
    return { claims, proof, ticks: proof, agreedToClose: false }
  }
  const plain = (balance: bigint): PaymentLedger => ({
    claims: { highest: balance, unclaimed: [] },
    proof: { signature: signed(balance), form: 'eip712' },
    agreedToClose: false,
  })
  const offered = (ledger: PaymentLedger) => ({ sender, openBlock, ...ledger })
  const better = mergeLedger(plain(12n), offered(at(3)))
  t.true(better.proof && isTicked(better.proof) && better.ticks === better.proof)
  t.deepEqual(
    better.fallbacks?.map(({ balance }) => balance),
    [12n],
  )
  const beside = mergeLedger(at(3), offered(plain(22n)))
  t.deepEqual(beside.proof, plain(22n).proof)
  t.like(beside.ticks, { index: 3 }, 'it goes on')
  t.is(provenUnder(beside, 12n)?.balance, 10n, 'and proves what is below')
  t.like(mergeLedger(at(3), offered(plain(12n))), { proof: { index: 3 }, ticks: { index: 3 } })
  t.is(mergeLedger(at(3), offered(plain(maxTokenAmount))).ticks, undefined)
})
