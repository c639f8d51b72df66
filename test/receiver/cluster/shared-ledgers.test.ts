// Ledgers in a PostgreSQL that several processes share do what all ledgers must do, and nothing twice.
import { setImmediate } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { fromHex } from '../../../protocol/index.ts'
import type { ChannelId } from '../../../receiver/channels/book.ts'
import { behaviours, channelOf, type GivenLedgers, paymentOf, said } from '../../support/ledgers.ts'
import { sharedPostgres, withPostgres } from '../../support/postgres.ts'
import { givenState, joinState } from '../../support/shared-state.ts'

const postgres = sharedPostgres(test)
const shared = withPostgres(test)

async function given(t: ExecutionContext): Promise<GivenLedgers> {
  const { settings, database, open } = await givenState(t, await postgres())
  const joined = async () => {
    const process = await joinState(settings)
    t.teardown(process.leave)
    return process
  }
  const where = ({ sender, openBlock }: ChannelId) => [Buffer.from(fromHex(sender)), openBlock]
  const first = await joined()
  return {
    ledgers: first.ledgers,
    open,
    toppedUp: async (before, deposit) => {
      const channel = await open(deposit)
      await database.query(
        `UPDATE ledger SET earlier = ARRAY[$3::numeric]
         WHERE id = (SELECT id FROM channel WHERE sender = $1 AND open_block = $2)`,
        [...where(channel), before],
      )
      return channel
    },
    closing: async (channel) => {
      await database.query(
        `UPDATE ledger SET open = false
         WHERE id = (SELECT id FROM channel WHERE sender = $1 AND open_block = $2)`,
        where(channel),
      )
    },
    reopened: async () => (await joined()).ledgers,
  }
}

for (const [title, behaves] of Object.entries(behaviours)) {
  shared(title, async (t) => behaves(t, await given(t)))
}

shared('a request key that was replaced elsewhere pays nothing more', async (t) => {
  const { settings, open } = await givenState(t, await postgres())
  const [one, two] = [await joinState(settings), await joinState(settings)]
  for (const { leave } of [one, two]) t.teardown(leave)
  const channel = await open(100n)
  const key = (last: string) => `0x02${'11'.repeat(31)}${last}` as never
  const bound = (balance: bigint, keyNumber: bigint, mac?: string) =>
    paymentOf(channel, balance, 5n, { bound: true, keyNumber, mac: mac?.padStart(32, '0') })
  await one.ledgers.bind(channel, { key: key('01'), number: 5n })
  t.is(said(await two.ledgers.claim(bound(5n, 5n, 'a'))), 'claimed')
  two.ledgers.answerEnded(channel, 'a'.padStart(32, '0'), 'broken')
  await one.ledgers.bind(channel, { key: key('02'), number: 6n })
  // What the second one knows is of before.
  t.is(two.ledgers.seenKey(channel)?.number, 5n)
  const changed = { code: 'request_key_changed' }
  const both = [bound(10n, 5n), bound(15n, 6n)].map((payment) => two.ledgers.claim(payment))
  await t.throwsAsync(async () => both[0], changed)
  t.is(said((await both[1]) as never), 'claimed')
  t.is(two.ledgers.seenKey(channel)?.number, 6n)
  // Below what is proven it is the same, and for what was paid with the key of before.
  await t.throwsAsync(two.ledgers.claim(bound(10n, 5n)), changed)
  const named = { ...channel, request: undefined, mac: 'a'.padStart(32, '0') }
  await t.throwsAsync(two.ledgers.again({ ...named, keyNumber: 5n }), changed)
  t.is(said(await two.ledgers.claim(bound(10n, 6n))), 'claimed')
  // An older key changes nothing.
  await two.ledgers.bind(channel, { key: key('01'), number: 5n })
  t.is(said(await one.ledgers.claim(bound(20n, 6n))), 'claimed')
  t.is((await channelOf(one.ledgers, channel))?.claims.highest, 20n)
})

shared(
  'where the receiver decides with the row locked, an old request key pays nothing either',
  async (t) => {
    const { settings, database, open } = await givenState(t, await postgres())
    const { ledgers, leave } = await joinState(settings)
    t.teardown(leave)
    const channel = await open(100n)
    await database.query('UPDATE ledger SET earlier = ARRAY[20::numeric]')
    await ledgers.bind(channel, { key: `0x02${'11'.repeat(32)}` as never, number: 6n })
    const bound = (keyNumber: bigint) => paymentOf(channel, 5n, 5n, { bound: true, keyNumber })
    await t.throwsAsync(ledgers.claim(bound(5n)), { code: 'request_key_changed' })
    t.is(said(await ledgers.claim(bound(6n))), 'claimed')
  },
)

shared('64 bound requests of a channel stay open, however many others are answered', async (t) => {
  const { settings, open } = await givenState(t, await postgres())
  const [one, two] = [await joinState(settings), await joinState(settings)]
  for (const { leave } of [one, two]) t.teardown(leave)
  const channel = await open(10_000n)
  const key = `0x02${'11'.repeat(32)}` as never
  await one.ledgers.bind(channel, { key, number: 5n })
  const macOf = (number: number) => `${number}`.padStart(32, '0')
  const pay = async ({ ledgers }: typeof one, number: number, end: 'whole' | 'broken') => {
    const named = { bound: true, keyNumber: 5n, mac: macOf(number) }
    t.is(said(await ledgers.claim(paymentOf(channel, BigInt(number) * 5n, 5n, named))), 'claimed')
    ledgers.answerEnded(channel, macOf(number), end)
  }
  const isOpen = async (number: number) => {
    const named = { ...channel, request: undefined, mac: macOf(number), keyNumber: 5n }
    return (await two.ledgers.again(named)) !== undefined
  }
  await pay(one, 1, 'broken')
  for (let number = 2; number <= 100; number++) await pay(two, number, 'whole')
  t.true(await isOpen(1))
  for (let number = 101; number <= 165; number++) await pay(two, number, 'broken')
  t.deepEqual([await isOpen(101), await isOpen(102), await isOpen(165)], [false, true, true])
})

shared('who dies just after it was seen alive leaves its request to be answered', async (t) => {
  const { settings, open } = await givenState(t, await postgres())
  const [one, two] = [await joinState(settings), await joinState(settings)]
  for (const { leave } of [one, two]) t.teardown(leave)
  const channel = await open(100n)
  await one.ledgers.bind(channel, { key: `0x02${'11'.repeat(32)}` as never, number: 5n })
  const bound = { bound: true, keyNumber: 5n, mac: 'a'.padStart(32, '0') }
  t.is(said(await one.ledgers.claim(paymentOf(channel, 5n, 5n, bound))), 'claimed')
  const { query } = two.database
  const dead = `UPDATE process SET seen_at = '-infinity' WHERE id = ${one.seat().id}`
  Object.assign(two.database, {
    query: async (text: string, values?: readonly unknown[]) => {
      const rows = await query(text, values)
      if (text.startsWith('DELETE FROM bound_use')) await query(dead)
      return rows
    },
  })
  const named = { ...channel, request: undefined, mac: bound.mac, keyNumber: 5n }
  t.is((await two.ledgers.again(named))?.kind, 'claimed')
  t.is(await two.ledgers.again(named), undefined)
})

/** A bound channel, two processes, and both kinds of names that a request may have. */
async function givenTwo(t: ExecutionContext) {
  const { settings, database, open } = await givenState(t, await postgres())
  const [one, two] = [await joinState(settings), await joinState(settings)]
  for (const { leave } of [one, two]) t.teardown(leave)
  const channel = await open(100n)
  await one.ledgers.bind(channel, { key: `0x02${'11'.repeat(32)}` as never, number: 5n })
  const names = [
    { mac: 'a'.padStart(32, '0'), request: undefined },
    { mac: undefined, request: { id: 'A'.repeat(43), expires: Date.now() + 60_000 } },
  ]
  return { database, one, two, channel, names }
}

shared('what bought an answer elsewhere is not given back', async (t) => {
  const { database, one, two, channel, names } = await givenTwo(t)
  for (const [at, name] of names.entries()) {
    const to = 5n * BigInt(at + 1)
    const named = { ...name, bound: true, keyNumber: 5n }
    const paid = await one.ledgers.claim(paymentOf(channel, to, 5n, named))
    if (paid.kind !== 'claimed') throw new Error(said(paid))
    const kept = { from: to - 5n, to: to - 5n }
    if (name.mac !== undefined) one.ledgers.answerEnded(channel, name.mac, 'broken')
    else await database.query('UPDATE request SET owner_epoch = 0')
    t.is((await two.ledgers.again({ ...channel, ...named }))?.kind, 'claimed')
    await one.ledgers.giveBack(paid.claimed, kept)
    const { claims } = (await channelOf(two.ledgers, channel)) ?? {}
    t.deepEqual(claims, { highest: to, unclaimed: [] })
  }
  t.deepEqual(await database.query('SELECT credited FROM process WHERE id = $1', [one.seat().id]), [
    { credited: 0n },
  ])
})

shared('who is silent is taken for dead before its request is answered elsewhere', async (t) => {
  const { database, one, two, channel, names } = await givenTwo(t)
  for (const [at, name] of names.entries()) {
    const named = { ...name, bound: true, keyNumber: 5n }
    const claimed = await one.ledgers.claim(paymentOf(channel, 5n * BigInt(at + 1), 5n, named))
    t.is(said(claimed), 'claimed')
    await database.query("UPDATE process SET seen_at = '-infinity' WHERE id = $1", [one.seat().id])
    t.is((await two.ledgers.again({ ...channel, ...named }))?.kind, 'claimed')
    const [row] = await database.query<{ epoch: bigint }>(
      'SELECT epoch FROM process WHERE id = $1 AND left_at IS NOT NULL',
      [one.seat().id],
    )
    t.true((row?.epoch ?? 0n) > one.seat().epoch)
    // It goes on, under the epoch of before.
    await database.query(
      "UPDATE process SET epoch = $2, left_at = NULL, seen_at = 'infinity' WHERE id = $1",
      [one.seat().id, one.seat().epoch],
    )
  }
})

shared('who is paid while what was known is forgotten is answered', async (t) => {
  const { settings, open } = await givenState(t, await postgres())
  const one = await joinState(settings)
  t.teardown(one.leave)
  const channel = await open(100n)
  const paid = await one.ledgers.claim(paymentOf(channel, 5n, 5n))
  if (paid.kind !== 'claimed') throw new Error(said(paid))
  const givingBack = one.ledgers.giveBack(paid.claimed, { from: 0n, to: 2n })
  // With the call after that one.
  await setImmediate()
  t.is(said(await one.ledgers.claim(paymentOf(channel, 10n, 5n))), 'claimed')
  await givingBack
})

shared(
  'what was paid is answered when it is asked for again, also where nobody could be told',
  async (t) => {
    const { one, two, channel, names } = await givenTwo(t)
    const { query } = one.database
    let isAway = false
    Object.assign(one.database, {
      query: async (text: string, values?: readonly unknown[]) => {
        if (isAway && /^\s*SELECT/.test(text)) throw new Error('away')
        return query(text, values)
      },
    })
    for (const [at, name] of names.entries()) {
      const named = { ...name, bound: true, keyNumber: 5n }
      await channelOf(one.ledgers, channel)
      const claiming = one.ledgers.claim(paymentOf(channel, 5n * BigInt(at + 1), 5n, named))
      // What it knows of the channel is of a server that is not the one any more.
      one.ledgers.startOver()
      isAway = true
      await t.throwsAsync(claiming)
      isAway = false
      const found = await two.ledgers.again({ ...channel, ...named })
      t.is(found?.kind, 'claimed')
    }
  },
)

shared(
  'what was decided with the row locked is answered, also where nobody could be told',
  async (t) => {
    const { database, one, two, channel, names } = await givenTwo(t)
    await database.query('UPDATE ledger SET earlier = ARRAY[20::numeric]')
    const { query } = one.database
    for (const [at, name] of names.entries()) {
      const named = { ...name, bound: true, keyNumber: 5n }
      await channelOf(one.ledgers, channel)
      // Only the look after the claim.
      Object.assign(one.database, {
        query: async (text: string, values?: readonly unknown[]) => {
          if (/^\s*SELECT/.test(text)) throw new Error('away')
          return query(text, values)
        },
      })
      await t.throwsAsync(one.ledgers.claim(paymentOf(channel, 5n * BigInt(at + 1), 5n, named)))
      Object.assign(one.database, { query })
      t.is((await two.ledgers.again({ ...channel, ...named }))?.kind, 'claimed')
    }
  },
)
