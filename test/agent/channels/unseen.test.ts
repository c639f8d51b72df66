// What a receiver may not have seen yet of a channel: written with the deposit, kept over restarts, over when it
// has taken a payment that needs it, or has had the time to see it.
import test from 'ava'
import { createBooking } from '../../../agent/channels/booking.ts'
import type { Ledger } from '../../../agent/channels/ledger-types.ts'
import { type ChannelEntry, decodeEntry, isAhead, isNew } from '../../../agent/channels/records.ts'
import { recoverChannels } from '../../../agent/channels/recovery.ts'
import type { ChannelEvent, Receipt } from '../../../platform/chain/index.ts'
import { buy, channel, ledgerOn, newChannel, receiver, testDisk } from '../../support/ledger.ts'
import { until } from '../../support/until.ts'

const own = receiver
const place = { transaction: '0x01', channel: { sender: own, receiver, openBlock: 7 } } as const
const created = (deposit: bigint) =>
  ({ ...place, kind: 'created', block: 7, contractBlock: 7, deposit }) as unknown as ChannelEvent
const toppedUp = (added: bigint, block: number) =>
  ({ ...place, kind: 'toppedUp', block, contractBlock: block, added }) as unknown as ChannelEvent

function bookOn(ledger: Ledger) {
  const book = createBooking({
    ...{ ledger, own, challengePeriod: async () => 500 },
    onChange: () => undefined,
  })
  return (...events: readonly ChannelEvent[]) => book({ events } as unknown as Receipt, 'intent')
}

test('an opening and each top-up are unseen from their own booking on, over a crash too', async (t) => {
  const disk = testDisk()
  const ledger = await ledgerOn({ disk })
  await bookOn(ledger)(created(50n))
  t.deepEqual(ledger.get(channel).unseen, [{ before: 0n, block: 7 }])
  await bookOn(ledger)(toppedUp(40n, 9))
  const unseen = [
    { before: 0n, block: 7 },
    { before: 50n, block: 9 },
  ]
  t.deepEqual(ledger.get(channel).unseen, unseen)
  t.is(disk.writes(), 2)
  const again = await ledgerOn({ disk })
  t.deepEqual(again.get(channel).unseen, unseen)
})

for (const [balance, left, what] of [
  [1n, [50n, 90n], 'the opening'],
  [50n, [50n, 90n], 'the opening, with all that was deposited then'],
  [51n, [90n], 'the first top-up'],
  [90n, [90n], 'the first top-up, with all of it'],
  [91n, [], 'the last top-up'],
] as const) {
  test(`a payment that makes ${balance} shows that the receiver knows ${what}`, async (t) => {
    const ledger = await ledgerOn()
    const unseen = [0n, 50n, 90n].map((before) => ({ before, block: 7 }))
    await ledger.add({ ...newChannel(100n), unseen })
    ledger.accepted(channel, balance)
    t.deepEqual(
      (ledger.get(channel).unseen ?? []).map(({ before }) => before),
      [...left],
    )
  })
}

test('a payment needs what is unseen from one unit above the deposit before', (t) => {
  const unseen = [{ before: 50n, block: 7 }]
  t.false(isAhead({ unseen }, 50n))
  t.true(isAhead({ unseen }, 51n))
  t.false(isAhead({}, 51n))
  t.false(isNew({ unseen }))
  t.true(isNew({ unseen: [{ before: 0n, block: 7 }, ...unseen] }))
})

test('what the receiver has had the time to see is unseen no more', async (t) => {
  const ledger = await ledgerOn()
  const unseen = [7, 9].map((block) => ({ before: 0n, block }))
  await ledger.add({ ...newChannel(100n), unseen })
  ledger.forgetUnseen(channel, 6)
  t.is(ledger.get(channel).unseen?.length, 2)
  ledger.forgetUnseen(channel, 7)
  t.deepEqual(ledger.get(channel).unseen, [{ before: 0n, block: 9 }])
  ledger.forgetUnseen(channel, 9)
  t.is(ledger.get(channel).unseen, undefined)
})

test('it costs no write of its own, and goes to disk with the next one', async (t) => {
  const disk = testDisk()
  const ledger = await ledgerOn({ disk, reservation: 4 })
  await bookOn(ledger)(created(100n))
  await ledger.take(channel, buy(5n))
  const writes = disk.writes()
  ledger.accepted(channel, 5n)
  t.is(disk.writes(), writes)
  await ledger.close()
  t.is((await ledgerOn({ disk })).get(channel).unseen, undefined)
})

test('what is noted while a write is on its way is not lost with it', async (t) => {
  const disk = testDisk()
  let arrived: (() => void) | undefined
  let isSlow = false
  const slow = {
    ...disk,
    write: async (...write: Parameters<typeof disk.write>) => {
      if (isSlow) {
        await new Promise<void>((resolve) => {
          arrived = resolve
        })
      }
      await disk.write(...write)
    },
  }
  const ledger = await ledgerOn({ disk: slow })
  await ledger.add({ ...newChannel(50n), unseen: [{ before: 0n, block: 7 }] })
  isSlow = true
  const booking = bookOn(ledger)(toppedUp(40n, 9))
  await until(() => arrived)
  ledger.accepted(channel, 5n)
  ledger.refused(channel)
  isSlow = false
  arrived?.()
  await booking
  t.like(ledger.get(channel), { deposit: 90n, refusals: 1 })
  t.deepEqual(ledger.get(channel).unseen, [{ before: 50n, block: 9 }])
  await ledger.close()
  t.like((await ledgerOn({ disk })).get(channel), {
    refusals: 1,
    unseen: [{ before: 50n, block: 9 }],
  })
})

test('of a record of an earlier version everything is seen', (t) => {
  const { unseen: _, ...before } = { ...newChannel(100n), unseen: [] }
  const text = JSON.stringify(before, (__, value) =>
    typeof value === 'bigint' ? `${value}` : value,
  )
  t.is(decodeEntry(text).unseen, undefined)
})

for (const [head, unseen, when] of [
  [7 + 255, [0n, 50n], 'both are young'],
  [7 + 256, [50n], 'its opening is 256 blocks old'],
  [9 + 255, [50n], 'its top-up is 255 blocks old'],
  [9 + 256, [], 'its top-up is 256 blocks old'],
] as const) {
  test(`a channel is found again on the chain, and ${when}`, async (t) => {
    const ledger = await ledgerOn()
    const client = {
      contractFacts: async () => ({ challengePeriod: 500 }),
      head: async () => ({ number: head, contractBlock: head }),
      events: async () => [created(50n), toppedUp(40n, 9)],
    }
    const work = { ledger, own, confirmations: 1, chain: async () => ({ client }) as never }
    t.deepEqual(await recoverChannels(work, 0), [channel])
    const found: ChannelEntry = ledger.get(channel)
    t.is(found.deposit, 90n)
    t.deepEqual(
      (found.unseen ?? []).map(({ before }) => before),
      [...unseen],
    )
  })
}
