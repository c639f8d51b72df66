import test from 'ava'
import { channel, ledgerOn, newChannel, testDisk } from '../../support/ledger.ts'

for (const when of ['before', 'after'] as const) {
  test(`a write that fails ${when} it reached the disk loses neither sum nor note`, async (t) => {
    const disk = testDisk()
    const budget = { total: 1000n }
    const ledger = await ledgerOn({ disk, budget, reservation: 1 })
    await ledger.add(newChannel(100n))
    await ledger.take(channel, { price: 5n, receiverKnows: 'intervals' })
    ledger.notes.later('some/note', { a: 1n })
    disk.failNext(when)
    await t.throwsAsync(ledger.update(channel, { deposit: 200n }))
    await ledger.update(channel, { deposit: 200n })
    const crashed = await ledgerOn({ disk, budget, reservation: 1 })
    t.like(crashed.limits(['all'])[0], { used: 5n })
    t.deepEqual(crashed.notes.get('some/note'), { a: '1' })
  })

  test(`a booking that fails ${when} it reached the disk keeps the note of what was intended`, async (t) => {
    const disk = testDisk()
    const ledger = await ledgerOn({ disk })
    await ledger.notes.now('transaction/open', { nonce: 1 })
    disk.failNext(when)
    await t.throwsAsync(ledger.add(newChannel(100n), 'transaction/open'))
    t.deepEqual(ledger.notes.get('transaction/open'), { nonce: 1 })
    await ledger.add(newChannel(100n), 'transaction/open')
    const crashed = await ledgerOn({ disk })
    t.is(crashed.notes.get('transaction/open'), undefined)
    t.is(crashed.channels().length, 1)
  })
}
