// What the leader finds on the chain, as others and the next leader find it in the database.
import test from 'ava'
import fc from 'fast-check'
import { addressOfKey, fromHex } from '../../../protocol/index.ts'
import { nothingForgotten } from '../../../receiver/channels/forgetting.ts'
import type { PastBlock, SyncPosition } from '../../../receiver/channels/history.ts'
import {
  type ChainFacts,
  type ChannelName,
  channelName,
} from '../../../receiver/channels/records.ts'
import type { ChainStep } from '../../../receiver/channels/store.ts'
import {
  dropFacts,
  noteRound,
  readChanges,
  readFacts,
  writeLimits,
  writeStep,
} from '../../../receiver/cluster/chain-facts.ts'
import { beat, join } from '../../../receiver/cluster/membership.ts'
import type { Sql } from '../../../receiver/postgres/connection.ts'
import { ledState, sharedPostgres, withPostgres } from '../../support/postgres.ts'

const onPostgres = withPostgres(test)
const server = sharedPostgres(test)
const sender = addressOfKey(fromHex(`0x${'11'.repeat(32)}`))
const other = addressOfKey(fromHex(`0x${'44'.repeat(32)}`))

const at = (block: number): SyncPosition => ({ block, hash: `0x${`${block}`.padStart(64, '0')}` })
const past = (block: number, before: PastBlock['before'] = new Map()) => ({ ...at(block), before })
const open = (openBlock: number, more: Partial<ChainFacts> = {}): ChainFacts => ({
  ...{ sender, openBlock, deposit: 100n, withdrawn: 0n, state: 'open' },
  ...more,
})
const named = (...facts: readonly ChainFacts[]) =>
  new Map<ChannelName, ChainFacts | undefined>(
    facts.map((each) => [channelName(each.sender, each.openBlock), each]),
  )
const step = (block: number, more: Partial<ChainStep> = {}): ChainStep => ({
  facts: new Map(),
  position: at(block),
  added: [past(block)],
  dropped: [],
  forgetting: undefined,
  ...more,
})
const standing = (from: number | undefined) => (from === undefined ? undefined : at(from))

async function ledgers({ query }: Sql) {
  const rows = await query<{ open_block: bigint; open: boolean; ceiling: bigint }>(
    'SELECT open_block, open, ceiling FROM ledger JOIN channel USING (id) ORDER BY open_block',
  )
  return rows.map(({ open_block, open, ceiling }) => [Number(open_block), open, ceiling])
}

onPostgres(
  'the next leader finds facts, position, history and sums as they were written',
  async (t) => {
    const { database, term } = await ledState(t, await server())
    t.like(await readFacts(database), {
      position: undefined,
      history: [],
      forgotten: nothingForgotten,
    })
    const end = { balance: 2n ** 192n - 1n, block: 9, contractBlock: 9 }
    const facts = named(open(3), open(5, { state: 'closing', deposit: 2n ** 192n - 1n, end }))
    const before = new Map([...facts].map(([name]) => [name, undefined]))
    const first = step(9, { facts, added: [past(7), past(9, before)] })
    await term.write((sql) => writeStep(sql, first, standing(undefined)))
    t.like(await readFacts(database), {
      ...{ facts, position: at(9), history: [past(7), past(9, before)], version: 1n },
    })

    // One that opened too early is undone, one is forgotten, one is new.
    const after = { upTo: 9, channels: 1, lost: 3n, earned: 4n }
    const later = new Map([
      ...named(open(11, { sender: other })),
      [channelName(sender, 3), undefined],
    ])
    const names = [channelName(sender, 5)]
    const second = step(12, { facts: later, dropped: [7], forgetting: { names, after } })
    await term.write((sql) => writeStep(sql, second, standing(9)))
    t.like(await readFacts(database), {
      facts: named(open(11, { sender: other })),
      ...{ position: at(12), history: [past(9, before), past(12)], forgotten: after },
    })
    t.deepEqual(await ledgers(database), [
      [3, false, 0n],
      // Until the leader says how much of it counts.
      [11, true, 0n],
    ])
  },
)

onPostgres('amounts and blocks are read back to the unit', async (t) => {
  const { database, term } = await ledState(t, await server())
  const amount = fc.bigInt({ min: 0n, max: 2n ** 192n - 1n })
  const block = fc.integer({ min: 0, max: 2 ** 32 - 1 })
  const end = fc.record({ balance: amount, block, contractBlock: block })
  let reached: number | undefined
  await fc.assert(
    fc.asyncProperty(amount, amount, block, end, async (deposit, withdrawn, openBlock, ended) => {
      const next = (reached ?? 0) + 1
      const facts = named(open(openBlock, { deposit, withdrawn, state: 'settled', end: ended }))
      const from = reached
      await term.write((sql) => writeStep(sql, step(next, { facts }), standing(from)))
      reached = next
      const [name] = [...facts.keys()]
      t.deepEqual(
        (await readFacts(database)).facts.get(name ?? `${sender}/0`),
        facts.get(name ?? `${sender}/0`),
      )
    }),
    { numRuns: 25 },
  )
})

onPostgres('a step from a position that is not there any more changes nothing', async (t) => {
  const { database, term } = await ledState(t, await server())
  await term.write((sql) => writeStep(sql, step(5), standing(undefined)))
  const again = step(6, { facts: named(open(6)) })
  for (const from of [undefined, 4]) {
    await t.throwsAsync(
      term.write((sql) => writeStep(sql, again, standing(from))),
      { code: 'not_the_leader' },
    )
  }
  const { facts, position } = await readFacts(database)
  t.deepEqual([facts.size, position], [0, at(5)])
})

onPostgres('who does not lead hears of what has changed, once, and of nothing else', async (t) => {
  const { database, term } = await ledState(t, await server())
  const me = await join(database)
  t.is((await beat(database, me)).factsVersion, 0n)
  await term.write((sql) =>
    writeStep(sql, step(5, { facts: named(open(3), open(4)) }), standing(undefined)),
  )
  t.is((await beat(database, me)).factsVersion, 1n)
  const first = await readChanges(database, 0n)
  t.deepEqual([...first.channels.keys()].sort(), [channelName(sender, 3), channelName(sender, 4)])

  const after = { ...nothingForgotten, channels: 1 }
  await term.write((sql) =>
    writeStep(
      sql,
      step(6, { facts: named(open(7)), forgetting: { names: [channelName(sender, 3)], after } }),
      standing(5),
    ),
  )
  const second = await readChanges(database, first.version)
  t.deepEqual(
    second.channels,
    new Map([
      [channelName(sender, 3), undefined],
      [channelName(sender, 7), { facts: open(7), closeSeen: false }],
    ]),
  )
  t.is((await readChanges(database, second.version)).channels.size, 0)
})

onPostgres(
  'a close that is only seen stops payments, and its disappearance lets them go on',
  async (t) => {
    const { database, term } = await ledState(t, await server())
    await term.write((sql) =>
      writeStep(sql, step(5, { facts: named(open(3), open(4)) }), standing(undefined)),
    )
    const { version } = await readChanges(database, 0n)
    const limit = (closeSeen: boolean) =>
      new Map([[channelName(sender, 3), { ceiling: 60n, closeSeen, earlier: [] }]])
    await term.write((sql) => writeLimits(sql, limit(true)))
    t.deepEqual(await ledgers(database), [
      [3, false, 60n],
      [4, true, 0n],
    ])
    const changed = await readChanges(database, version)
    t.true(changed.version > version)
    t.deepEqual(
      changed.channels,
      new Map([[channelName(sender, 3), { facts: open(3), closeSeen: true }]]),
    )
    // A step that says something else of the channel does not open it.
    await term.write((sql) =>
      writeStep(sql, step(6, { facts: named(open(3, { deposit: 110n })) }), standing(5)),
    )
    t.deepEqual((await ledgers(database))[0], [3, false, 60n])
    await term.write((sql) => writeLimits(sql, limit(false)))
    t.deepEqual((await ledgers(database))[0], [3, true, 60n])
  },
)

onPostgres(
  'where a deposit counts step by step, a step alone raises what nobody may pay yet',
  async (t) => {
    const { database, term } = await ledState(t, await server())
    const name = channelName(sender, 3)
    await term.write((sql) =>
      writeStep(sql, step(5, { facts: named(open(3)) }), standing(undefined)),
    )
    t.deepEqual(await ledgers(database), [[3, true, 0n]])
    await term.write((sql) =>
      writeLimits(sql, new Map([[name, { ceiling: 40n, closeSeen: false, earlier: [] }]])),
    )
    await term.write((sql) =>
      writeStep(sql, step(6, { facts: named(open(3, { deposit: 500n })) }), standing(5)),
    )
    t.deepEqual(await ledgers(database), [[3, true, 40n]])
    await term.write((sql) =>
      writeStep(sql, step(7, { facts: named(open(3, { deposit: 30n })) }), standing(6)),
    )
    t.deepEqual(await ledgers(database), [[3, true, 30n]])
  },
)

onPostgres(
  'when the chain is read again nobody pays until it says something, and what was paid stays',
  async (t) => {
    const { database, term } = await ledState(t, await server())
    await term.write((sql) =>
      writeStep(sql, step(5, { facts: named(open(3)) }), standing(undefined)),
    )
    await database.query('UPDATE ledger SET highest = 7')
    await term.write((sql) => dropFacts(sql, at(1), at(5)))
    t.like(await readFacts(database), { facts: new Map(), history: [], position: at(1) })
    t.deepEqual(await ledgers(database), [[3, false, 0n]])
    t.deepEqual(
      (await readChanges(database, 1n)).channels,
      new Map([[channelName(sender, 3), undefined]]),
    )
    await term.write((sql) => writeStep(sql, step(5, { facts: named(open(3)) }), standing(1)))
    t.deepEqual(await database.query('SELECT open, highest FROM ledger'), [
      { open: true, highest: 7n },
    ])
  },
)

onPostgres('how long ago the chain was read is said by the database’s clock', async (t) => {
  const { database, term } = await ledState(t, await server())
  const me = await join(database)
  t.is((await beat(database, me)).chainAge, Number.POSITIVE_INFINITY)
  await term.write((sql) => noteRound(sql, { head: 12, contractHead: 34 }))
  const { chainAge, ...rest } = await beat(database, me)
  t.true(chainAge >= 0 && chainAge < 3_600_000)
  t.like(rest, { head: 12, contractHead: 34 })
})
