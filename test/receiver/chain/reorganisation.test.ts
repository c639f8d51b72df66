// Confirmed blocks are replaced (wire-protocol.md section 6): the receiver goes back to the last common
// block and reads on, whatever happened meanwhile.
import test from 'ava'
import fc from 'fast-check'
import { type SyncOptions, syncOnce } from '../../../receiver/chain/sync.ts'
import { openBook } from '../../../receiver/channels/book.ts'
import { historyDepth } from '../../../receiver/channels/history.ts'
import { openStore } from '../../../receiver/channels/store.ts'
import { contract, createChainModel, type Happening, receiver } from '../../support/chain-model.ts'
import { temporaryFolder } from '../../support/folder.ts'

const kinds = [
  'created',
  'toppedUp',
  'withdrawn',
  'closeRequested',
  'challenged',
  'settled',
] as const
const happening = fc.record<Happening>({
  kind: fc.constantFrom(...kinds),
  pick: fc.nat({ max: 20 }),
})
const block = fc.array(happening, { maxLength: 3 })
const step = fc.oneof(
  fc.record({ do: fc.constant('mine' as const), blocks: fc.array(block, { maxLength: 8 }) }),
  fc.record({ do: fc.constant('rewind' as const), depth: fc.integer({ min: 1, max: 20 }) }),
  fc.record({ do: fc.constant('sync' as const), chunk: fc.integer({ min: 1, max: 9 }) }),
  fc.record({ do: fc.constant('fail' as const), after: fc.nat({ max: 12 }) }),
  fc.record({ do: fc.constant('restart' as const) }),
)

const owner = { chainId: 31337n, contract, account: receiver }

async function given(folder: string) {
  const chain = createChainModel()
  let store = await openStore(folder, owner)
  let book = await openBook(store)
  const sync = (options: Partial<SyncOptions> = {}) =>
    syncOnce({ chain: chain.client, book, receiver, startBlock: 0, confirmations: 3, ...options })
  return {
    chain,
    book: () => book,
    sync,
    /** As the background watch does: until there is nothing more to do. */
    settle: async () => {
      for (let round = 0; round < 3; round++) if ((await sync()).kind !== 'reorganised') return
    },
    restart: async () => {
      await store.close()
      store = await openStore(folder, owner)
      book = await openBook(store)
    },
    close: () => store.close(),
  }
}

function factsOf(book: Awaited<ReturnType<typeof openBook>>) {
  return [...book.all()]
    .map(({ sender, openBlock, deposit, withdrawn, state, end }) => ({
      ...{ sender, openBlock, deposit, withdrawn, state },
      ...(end && { end }),
    }))
    .sort(byName)
}

function byName(
  a: { readonly sender: string; readonly openBlock: number },
  b: { readonly sender: string; readonly openBlock: number },
): number {
  return a.openBlock - b.openBlock || (a.sender < b.sender ? -1 : 1)
}

/** The node is asked so many more questions, then it is away. */
function failingAfter(client: SyncOptions['chain'], questions: number): SyncOptions['chain'] {
  let left = questions
  const ask = <Value>(question: () => Promise<Value>): Promise<Value> =>
    left-- > 0 ? question() : Promise.reject(new Error('away'))
  return {
    head: () => ask(client.head),
    block: (number) => ask(() => client.block(number)),
    events: (query) => ask(() => client.events(query)),
  }
}

test('whatever is mined, replaced, interrupted and restarted: the book says what the chain says', async (t) => {
  const folder = await temporaryFolder(t)
  let run = 0
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      const { chain, book, sync, settle, restart, close } = await given(`${folder}/${run++}`)
      for (const each of steps) {
        if (each.do === 'mine') for (const happenings of each.blocks) chain.mine(happenings)
        if (each.do === 'rewind') chain.rewind(each.depth)
        if (each.do === 'sync') await sync({ chunk: each.chunk })
        if (each.do === 'restart') await restart()
        if (each.do === 'fail') {
          await sync({ chain: failingAfter(chain.client, each.after), chunk: 2 }).catch(() => 0)
        }
      }
      // A chain that was shortened has to grow past what was read before it can be judged.
      for (let blocks = 0; blocks < 30; blocks++) chain.mine([])
      await settle()
      const confirmed = chain.height() - 2
      t.is(book().position()?.block, confirmed)
      t.deepEqual(factsOf(book()), [...chain.factsAt(confirmed).values()].sort(byName))
      await restart()
      t.deepEqual(factsOf(book()), [...chain.factsAt(confirmed).values()].sort(byName))
      await close()
    }),
    { numRuns: 60 },
  )
})

for (let depth = 3; depth <= 20; depth++) {
  test(`${depth} blocks are replaced: only channels that they touched stop, the others go on`, async (t) => {
    const { chain, book, sync, settle, close } = await given(await temporaryFolder(t))
    chain.mine([{ kind: 'created', pick: 0 }])
    chain.mine([{ kind: 'created', pick: 1 }])
    for (let blocks = 0; blocks < 30; blocks++) chain.mine([])
    await settle()
    const before = factsOf(book())
    for (let blocks = 0; blocks < depth; blocks++) {
      // The second channel is topped up in a block that becomes confirmed, then goes.
      chain.mine(blocks === 0 ? [{ kind: 'toppedUp', pick: 1 }] : [])
      await settle()
    }
    const touched = [...chain.touchedAfter(chain.height() - depth)]
    t.is(touched.length, 1)
    chain.rewind(depth)
    for (let blocks = 0; blocks < depth + 1; blocks++) chain.mine([])
    const outcome = await sync()
    t.like(outcome, { kind: 'reorganised', forgotten: false, channels: touched })
    t.deepEqual(factsOf(book()), before)
    t.like(await sync(), { kind: 'synced' })
    t.deepEqual(factsOf(book()), before)
    await close()
  })
}

for (let depth = 1; depth <= 20; depth++) {
  test(`${depth} blocks with an opening, a top-up and a close are replaced by others: the book says what the chain says`, async (t) => {
    const { chain, book, settle, close } = await given(await temporaryFolder(t))
    for (const pick of [0, 1, 2]) chain.mine([{ kind: 'created', pick }])
    for (let blocks = 0; blocks < 25; blocks++) chain.mine([])
    await settle()
    const life: readonly Happening[] = [
      { kind: 'created', pick: 4 },
      { kind: 'toppedUp', pick: 1 },
      { kind: 'closeRequested', pick: 2 },
    ]
    for (let blocks = 0; blocks < depth; blocks++) {
      chain.mine(life.filter((_, index) => index % depth === blocks))
      await settle()
    }
    chain.rewind(depth)
    chain.mine([{ kind: 'closeRequested', pick: 0 }])
    chain.mine([{ kind: 'toppedUp', pick: 2 }])
    for (let blocks = 0; blocks < depth + 2; blocks++) chain.mine([])
    await settle()
    t.is(book().position()?.block, chain.height() - 2)
    t.deepEqual(factsOf(book()), [...chain.factsAt(chain.height() - 2).values()].sort(byName))
    await close()
  })
}

test('what is undone is as deep as remembered; a deeper one makes everything be read again', async (t) => {
  for (const [depth, forgotten] of [
    [historyDepth, false],
    [historyDepth + 40, true],
  ] as const) {
    const { chain, book, sync, settle, restart, close } = await given(await temporaryFolder(t))
    chain.mine([{ kind: 'created', pick: 0 }])
    for (let blocks = 0; blocks < historyDepth + 50; blocks++) {
      chain.mine([{ kind: 'toppedUp', pick: 0 }])
      if (blocks % 7 === 0) await settle()
    }
    await settle()
    t.true(book().history().length <= historyDepth + 1)
    await restart()
    chain.rewind(depth)
    for (let blocks = 0; blocks < depth + 1; blocks++) chain.mine([])
    t.like(await sync(), { kind: 'reorganised', forgotten })
    await settle()
    t.deepEqual(factsOf(book()), [...chain.factsAt(chain.height() - 2).values()])
    await close()
  }
})

test('a node that went back in time is waited for; what it said before still counts', async (t) => {
  const { chain, book, sync, settle, close } = await given(await temporaryFolder(t))
  chain.mine([{ kind: 'created', pick: 0 }])
  for (let blocks = 0; blocks < 10; blocks++) chain.mine([])
  await settle()
  const before = factsOf(book())
  const height = chain.height()
  const behind: SyncOptions['chain'] = {
    ...chain.client,
    head: async () => (await chain.client.block(1)) ?? chain.client.head(),
    block: async (number) => (number > 1 ? undefined : chain.client.block(number)),
  }
  t.like(await sync({ chain: behind }), { kind: 'node_behind' })
  t.deepEqual(factsOf(book()), before)
  t.is(book().position()?.block, height - 2)
  t.like(await sync(), { kind: 'synced' })
  await close()
})

test('who asks for a close pays no more, though the block is not confirmed; replaced, the channel is open again', async (t) => {
  const { chain, book, settle, close } = await given(await temporaryFolder(t))
  chain.mine([{ kind: 'created', pick: 0 }])
  for (let blocks = 0; blocks < 5; blocks++) chain.mine([])
  await settle()
  const [channel] = factsOf(book())
  if (channel === undefined) return t.fail()
  const state = () => book().get(channel.sender, channel.openBlock)?.state
  chain.mine([{ kind: 'closeRequested', pick: 0 }])
  await settle()
  t.is(state(), 'closing')
  t.is(factsOf(book())[0]?.state, 'open')
  chain.rewind(1)
  chain.mine([])
  await settle()
  t.is(state(), 'open')
  await close()
})
