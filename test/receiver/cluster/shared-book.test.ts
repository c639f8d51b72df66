// The book of a process that shares its state: what others have written, and what a leader writes through it.
import test, { type ExecutionContext } from 'ava'
import type { ChannelEvent } from '../../../platform/chain/index.ts'
import { addressOfKey, fromHex, parseSignature } from '../../../protocol/index.ts'
import { whileClosing } from '../../../receiver/channels/closing.ts'
import type { SyncPosition } from '../../../receiver/channels/history.ts'
import type { Term } from '../../../receiver/cluster/election.ts'
import {
  openSharedBook,
  type SharedBook,
  type SharedBookOptions,
} from '../../../receiver/cluster/shared-book.ts'
import { momentOf, readLedgersSince } from '../../../receiver/cluster/stored-ledgers.ts'
import { receiverError } from '../../../receiver/errors/index.ts'
import type { Database } from '../../../receiver/postgres/connection.ts'
import { ledState, sharedPostgres, stateOwner, withPostgres } from '../../support/postgres.ts'

const onPostgres = withPostgres(test)
const server = sharedPostgres(test)
const sender = addressOfKey(fromHex(`0x${'11'.repeat(32)}`))
const signature = Buffer.from(fromHex(parseSignature(`0x${'11'.repeat(64)}1b`)))

const at = (block: number): SyncPosition => ({ block, hash: `0x${`${block}`.padStart(64, '0')}` })
const event = (block: number, more: Partial<ChannelEvent> & { readonly openBlock?: number } = {}) =>
  ({
    kind: 'created',
    channel: { sender, receiver: stateOwner.account, openBlock: more.openBlock ?? block },
    ...{ deposit: 100n, block, contractBlock: block, blockHash: at(block).hash },
    ...{ transaction: '0x00', logIndex: 0 },
    ...more,
  }) as ChannelEvent

async function given(t: ExecutionContext, more: Partial<SharedBookOptions> = {}) {
  const state = await ledState(t, await server())
  const { database, term } = state
  const leading = await openSharedBook({ database, term: () => term, ...more })
  const following = await openSharedBook({ database, term: () => undefined, ...more })
  return { ...state, leading, following }
}

const positionIn = ([row]: readonly { readonly block?: bigint }[]) => at(Number(row?.block))

/** As a claim writes it. */
const pay = ({ query }: Pick<Database, 'query'>, highest: bigint, openBlock = 3) =>
  query(
    `UPDATE ledger SET highest = $1, form = 2, proof = $2 FROM channel
     WHERE channel.id = ledger.id AND open_block = $3`,
    [highest, signature, openBlock],
  )

onPostgres(
  'who does not lead knows what the leader has found and what all have been paid',
  async (t) => {
    const { leading, following, database } = await given(t)
    const told: number[] = []
    following.book.listen((_, openBlock) => told.push(openBlock))
    await leading.book.confirm([event(3), event(4)], at(5))
    await following.refresh()
    t.is(following.book.get(sender, 3)?.state, 'open')
    t.deepEqual(following.book.position(), at(5))
    await pay(database, 30n)
    for (const { book, refresh } of [leading, following]) {
      await refresh()
      t.is(book.get(sender, 3)?.claims.highest, 30n)
      t.is(book.unsettled(), 30n)
    }
    t.true(told.includes(3))
    await t.throwsAsync(following.book.confirm([event(6)], at(6)), { code: 'not_the_leader' })

    // A close that is only seen, and its end.
    leading.book.setUnconfirmed(
      [event(6, { kind: 'closeRequested', openBlock: 3, balance: 0n })],
      6,
    )
    await leading.writeLimits()
    await following.refresh()
    t.is(following.book.get(sender, 3)?.state, 'closing')
    leading.book.setUnconfirmed([], 7)
    await leading.writeLimits()
    await following.refresh()
    t.is(following.book.get(sender, 3)?.state, 'open')
  },
)

onPostgres(
  'the next leader goes on where the last one stood, and can go back on the chain',
  async (t) => {
    const { leading, database, term } = await given(t)
    const next = await openSharedBook({ database, term: () => term })
    await leading.book.confirm([event(3)], at(3))
    await leading.book.confirm([event(5)], at(5))
    await pay(database, 7n)
    await next.takeOver()
    t.is(next.book.unsettled(), 7n)
    await next.book.rollBack(at(3))
    t.is(next.book.get(sender, 5), undefined)
    await next.book.confirm([event(6)], at(6))
    // The last one has not heard of it: nothing that it finds is written.
    await t.throwsAsync(leading.book.confirm([event(7)], at(7)), { code: 'not_the_leader' })
    await leading.takeOver()
    t.deepEqual(
      [...leading.book.all()].map(({ openBlock }) => openBlock),
      [3, 6],
    )
  },
)

for (const [lost, step] of [
  ['a step', ({ book }: SharedBook) => book.confirm([event(5)], at(5))],
  ['a step back', ({ book }: SharedBook) => book.rollBack(at(3))],
  ['a chain that is read anew', ({ book }: SharedBook) => book.forgetChain(at(1))],
] as const) {
  for (const isWritten of [true, false]) {
    const what = `${isWritten ? 'the answer to' : 'the transaction of'} ${lost}`
    onPostgres(`a leader that loses ${what} goes on reading the chain`, async (t) => {
      const { database, term } = await ledState(t, await server())
      let loses = false
      const write: Term['write'] = async (work) => {
        if (!loses) return term.write(work)
        loses = false
        if (isWritten) await term.write(work)
        throw receiverError({ code: 'postgres_commit_unknown', message: 'nobody said' })
      }
      const leading = await openSharedBook({ database, term: () => ({ ...term, write }) })
      await leading.takeOver()
      await leading.book.confirm([event(3)], at(3))
      await leading.book.confirm([event(4)], at(4))
      loses = true
      await t.throwsAsync(step(leading), { code: 'postgres_commit_unknown' })
      await leading.makeSure()
      const { book } = leading
      t.deepEqual(book.position(), positionIn(await database.query('SELECT block FROM position')))
      await leading.book.confirm([event(6)], at(6))
      await leading.makeSure()
      const open = await database.query<{ open_block: bigint }>(
        `SELECT open_block FROM channel JOIN ledger USING (id) WHERE ledger.open ORDER BY id`,
      )
      t.deepEqual(
        [...book.all()].map(({ openBlock }) => openBlock),
        open.map(({ open_block }) => Number(open_block)),
      )
      t.true(book.get(sender, 6) !== undefined)
    })
  }
}

onPostgres(
  'what is closed is closed at the balance that was paid last, wherever that was',
  async (t) => {
    const { leading, database } = await given(t)
    await leading.book.confirm([event(3)], at(3))
    await pay(database, 20n)
    await leading.refresh()
    const channels = [...leading.book.all()]
    // Another process is paid before the mark, and not after it.
    await pay(database, 25n)
    await whileClosing(leading.book, channels, async ([channel]) => {
      t.is(channel?.claims.highest, 25n)
      t.deepEqual(await database.query('SELECT collecting, highest FROM ledger'), [
        { collecting: true, highest: 25n },
      ])
    })
    const nothingSent = whileClosing(leading.book, [...leading.book.all()], async () => undefined)
    await t.notThrowsAsync(nothingSent)
  },
)

onPostgres('a mark reads its own channel, and of no other what was paid', async (t) => {
  const { leading, database } = await given(t)
  await leading.book.confirm([event(3), event(4)], at(5))
  await pay(database, 20n)
  await leading.refresh()
  await pay(database, 25n)
  await pay(database, 30n, 4)
  const highest = (openBlock: number) => leading.book.ledger(sender, openBlock).claims.highest
  const [channel] = leading.book.all()
  await whileClosing(leading.book, channel ? [channel] : [], async () => {
    t.deepEqual([highest(3), highest(4)], [25n, 0n])
  })
  await leading.refresh()
  t.deepEqual([highest(3), highest(4)], [25n, 30n])
})

onPostgres('a mark is taken back when nothing was sent, and what was paid stays', async (t) => {
  const { leading, database } = await given(t)
  await leading.book.confirm([event(3)], at(3))
  await pay(database, 20n)
  await leading.refresh()
  const closing = whileClosing(leading.book, [...leading.book.all()], async () => {
    throw new Error('no ether')
  })
  await t.throwsAsync(closing, { message: 'no ether' })
  t.deepEqual(await database.query('SELECT collecting, highest FROM ledger'), [
    { collecting: false, highest: 20n },
  ])
})

onPostgres(
  'how much of a deposit counts is written by the leader, once, as deep as the deposit is',
  async (t) => {
    const limits = { steps: [{ blocks: 1, mostOwed: 40n }, { blocks: 4 }] }
    const { leading, database } = await given(t, { limits })
    const ceilings = () => database.query('SELECT ceiling, earlier::text AS earlier FROM ledger')
    await leading.book.confirm([event(3)], at(3))
    t.deepEqual(await ceilings(), [{ ceiling: 0n, earlier: null }])
    await leading.writeLimits()
    t.deepEqual(await ceilings(), [{ ceiling: 40n, earlier: null }])
    const version = async () => (await database.query('SELECT facts_version FROM position'))[0]
    const before = await version()
    await leading.writeLimits()
    t.deepEqual(await version(), before)
    await leading.book.confirm([event(4, { kind: 'toppedUp', openBlock: 3, added: 50n })], at(7))
    await leading.writeLimits()
    t.deepEqual(await ceilings(), [{ ceiling: 150n, earlier: '{100}' }])
  },
)

onPostgres(
  'the next leader writes what the last one has not written, or written before',
  async (t) => {
    const limits = { steps: [{ blocks: 1, mostOwed: 1000n }, { blocks: 4 }] }
    const { leading, database, term } = await given(t, { limits })
    const rows = () =>
      database.query(
        `SELECT open_block, open, ceiling, earlier::text AS earlier FROM ledger JOIN channel USING (id)
       ORDER BY open_block`,
      )
    await leading.book.confirm([event(3), event(4)], at(20))
    await leading.writeLimits()
    // A deposit that may be taken back, a close that was only seen, and an opening without its limit.
    await leading.book.confirm([event(30, { kind: 'toppedUp', openBlock: 3, added: 50n })], at(30))
    leading.book.setUnconfirmed(
      [event(31, { kind: 'closeRequested', openBlock: 4, balance: 0n })],
      31,
    )
    await leading.writeLimits()
    await leading.book.confirm([event(32)], at(32))
    const opening = { open_block: 32n, open: true, ceiling: 0n, earlier: null }
    t.deepEqual(await rows(), [
      { open_block: 3n, open: true, ceiling: 150n, earlier: '{100}' },
      { open_block: 4n, open: false, ceiling: 100n, earlier: null },
      opening,
    ])
    const next = await openSharedBook({ database, term: () => term, limits })
    await next.takeOver()
    // So many blocks that nothing of before can be taken back.
    await next.book.confirm([], at(1000))
    await next.writeLimits()
    t.deepEqual(await rows(), [
      { open_block: 3n, open: true, ceiling: 150n, earlier: null },
      { open_block: 4n, open: true, ceiling: 100n, earlier: null },
      { ...opening, ceiling: 100n },
    ])
  },
)

onPostgres('a deposit that is taken back and is there again counts again', async (t) => {
  const { leading, database } = await given(t)
  const ceilings = async () => {
    const rows = await database.query<{ ceiling: bigint }>('SELECT ceiling FROM ledger')
    return rows.map(({ ceiling }) => ceiling)
  }
  await leading.takeOver()
  await leading.book.confirm([event(3)], at(3))
  await leading.book.confirm([event(4, { kind: 'toppedUp', openBlock: 3, added: 50n })], at(4))
  await leading.writeLimits()
  t.deepEqual(await ceilings(), [150n])
  // Both within one look at the chain.
  await leading.book.rollBack(at(3))
  t.deepEqual(await ceilings(), [100n])
  await leading.book.confirm([event(5, { kind: 'toppedUp', openBlock: 3, added: 50n })], at(5))
  await leading.writeLimits()
  t.deepEqual(await ceilings(), [150n])
})

onPostgres(
  'what a leader sees in blocks that are not confirmed stays, whatever is paid meanwhile; who leads no more reads anew',
  async (t) => {
    const { database, term } = await ledState(t, await server())
    let leads = true
    const shared = await openSharedBook({ database, term: () => (leads ? term : undefined) })
    const next = await openSharedBook({ database, term: () => term })
    await shared.takeOver()
    await shared.book.confirm([event(3)], at(3))
    shared.book.setUnconfirmed([event(4, { kind: 'closeRequested', openBlock: 3, balance: 0n })], 4)
    await pay(database, 20n)
    await shared.refresh()
    t.like(shared.book.get(sender, 3), { state: 'closing', claims: { highest: 20n } })
    leads = false
    await next.takeOver()
    await next.book.rollBack(at(3))
    await next.book.confirm([event(6)], at(6))
    await shared.refresh()
    t.deepEqual(
      [...shared.book.all()].map(({ openBlock, state }) => [openBlock, state]),
      [
        [3, 'open'],
        [6, 'open'],
      ],
    )
    await pay(database, 5n, 6)
    await shared.refresh()
    t.is(shared.book.unsettled(), 25n)
  },
)

onPostgres('a change is heard of, however long its transaction took', async (t) => {
  const { leading, database } = await given(t)
  await leading.book.confirm([event(3), event(4)], at(5))
  const other = await database.connect()
  t.teardown(other.close)
  await other.query('BEGIN')
  await pay(other, 5n)
  const moment = await momentOf(database)
  await pay(database, 6n, 4)
  const first = await readLedgersSince(database, moment)
  t.true([...first.ledgers.values()].some(({ claims }) => claims.highest === 6n))
  t.false([...first.ledgers.values()].some(({ claims }) => claims.highest === 5n))
  await other.query('COMMIT')
  const second = await readLedgersSince(database, first.moment)
  t.true([...second.ledgers.values()].some(({ claims }) => claims.highest === 5n))
})
