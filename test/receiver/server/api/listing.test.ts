// The administrator's list of channels: chosen, sorted, and read part by part.
import test from 'ava'
import fc from 'fast-check'
import type { Channel } from '../../../../receiver/channels/records.ts'
import { createReceiverServer } from '../../../../receiver/index.ts'
import { createAdmin } from '../../../../receiver/server/admin/admin.ts'
import { adminSchema } from '../../../../receiver/server/admin/config.ts'
import { hashSecret } from '../../../../receiver/server/admin/secrets.ts'
import { listChannels, mostListed, sortNames } from '../../../../receiver/server/api/listing.ts'
import { listenAdmin } from '../../../support/admin.ts'
import { manyChannels, withChannels } from '../../../support/many-channels.ts'
import { startSystem } from '../../../support/system.ts'

const blocks = (channels: readonly Channel[]) => channels.map(({ openBlock }) => openBlock)

/** All parts of a listing. */
function readAll(channels: readonly Channel[], query: object): readonly Channel[] {
  const found: Channel[] = []
  let cursor: string | undefined
  do {
    const part = listChannels(channels, { ...query, ...(cursor && { cursor }) })
    found.push(...part.channels)
    cursor = part.next
  } while (cursor !== undefined)
  return found
}

test('without a limit all are listed, by block', (t) => {
  const { channels, total, next } = listChannels([...manyChannels(5)].reverse(), {})
  t.deepEqual([blocks(channels), total, next], [[0, 1, 2, 3, 4], 5, undefined])
})

test('amounts are sorted exactly, the other way round, and by several things', (t) => {
  const big = 10n ** 30n
  const [first] = manyChannels(1)
  const owing = (openBlock: number, due: bigint) =>
    ({ ...first, openBlock, claims: { highest: due, unclaimed: [] } }) as Channel
  const three = [owing(1, 9n * big), owing(2, 10n * big), owing(3, 9n * big + 1n)]
  const sorted = (query: object) => blocks(listChannels(three, query).channels)
  t.deepEqual(sorted({ sort: 'due' }), [1, 3, 2])
  t.deepEqual(sorted({ sort: 'due', order: 'desc' }), [2, 3, 1])
  t.deepEqual(sorted({ sort: 'balance', order: 'desc', limit: '1' }), [2])
})

test('by state and by part of the sender’s address, in any case', (t) => {
  const many = manyChannels(300)
  t.is(listChannels(many, { state: 'open' }).total, 75)
  t.deepEqual(blocks(listChannels(many, { sender: ' 12C ' }).channels), [299])
  t.deepEqual(listChannels(many, { sender: 'zz' }).channels, [])
})

test('parts together are the whole in its order, whatever the order and the length', (t) => {
  const channel = fc.record({
    at: fc.integer({ min: 0, max: 30 }),
    sender: fc.integer({ min: 0, max: 2 }),
    due: fc.bigInt({ min: 0n, max: 3n }),
  })
  const [first] = manyChannels(1)
  fc.assert(
    fc.property(
      fc.uniqueArray(channel, { maxLength: 40, selector: ({ at, sender }) => `${at}/${sender}` }),
      fc.constantFrom(...sortNames),
      fc.constantFrom('asc', 'desc'),
      fc.integer({ min: 1, max: 12 }),
      (made, sort, order, limit) => {
        const channels = made.map(({ at, sender, due }) => {
          const senders = manyChannels(3)
          const claims = { highest: due, unclaimed: [] }
          return { ...first, ...senders[sender], openBlock: at, claims } as Channel
        })
        const whole = listChannels(channels, { sort, order }).channels
        t.is(whole.length, channels.length)
        t.deepEqual(readAll(channels, { sort, order, limit: `${limit}` }), whole)
      },
    ),
  )
})

test('a payment between two parts neither repeats nor hides another channel', (t) => {
  const many = manyChannels(10)
  const query = { sort: 'due', order: 'desc', limit: '3' }
  const before = listChannels(many, query)
  const paid = many.map((channel) =>
    channel.openBlock === 2
      ? { ...channel, claims: { highest: 10n ** 20n, unclaimed: [] } }
      : channel,
  )
  const after = listChannels(paid, { ...query, cursor: before.next })
  t.deepEqual(
    [blocks(before.channels), blocks(after.channels)],
    [
      [9, 8, 7],
      [6, 5, 4],
    ],
  )
})

const wrong: readonly (readonly [object, string, RegExp])[] = [
  [{ state: 'half' }, 'status_unknown', /"half"/],
  [{ limit: '0' }, 'query_invalid', /^limit:/],
  [{ limit: `${mostListed + 1}` }, 'query_invalid', /^limit:/],
  [{ limit: 'many' }, 'query_invalid', /^limit:/],
  [{ sort: 'size' }, 'query_invalid', /^sort:/],
  [{ order: 'up' }, 'query_invalid', /^order:/],
  [{ page: '2' }, 'query_invalid', /^page:/],
  [{ cursor: 'x' }, 'cursor_invalid', /^cursor:/],
  [{ cursor: Buffer.from('["x",1,"y"]').toString('base64url') }, 'cursor_invalid', /^cursor:/],
]
for (const [query, code, message] of wrong) {
  test(`refused: ${JSON.stringify(query)}`, (t) => {
    t.throws(() => listChannels([], query), { code, message })
  })
}

test('the most and the least that may be asked for at once', (t) => {
  const many = manyChannels(mostListed + 1)
  t.is(listChannels(many, { limit: `${mostListed}` }).channels.length, mostListed)
  t.is(listChannels(many, { limit: '1' }).channels.length, 1)
})

test('over HTTP the next part is in the Link header, and the sums are in the statistics', async (t) => {
  const { receiver } = await startSystem(t)
  const users = { alice: await hashSecret('secret') }
  const admin = await createAdmin(adminSchema.parse({ users }))
  const many = manyChannels(120)
  const server = await createReceiverServer(
    withChannels(receiver, () => many),
    [],
    { admin },
  )
  t.teardown(() => server.close())
  const base = await listenAdmin(t, admin)
  const headers = { authorization: `Basic ${Buffer.from('alice:secret').toString('base64')}` }
  const seen: string[] = []
  let path: string | undefined = '/api/1/admin/channels?limit=50&sort=due&order=desc&state=closing'
  while (path !== undefined) {
    const answer: Response = await fetch(base + path, { headers })
    t.is(answer.headers.get('x-total-count'), '90')
    const part = (await answer.json()) as readonly { readonly open_block: string }[]
    seen.push(...part.map(({ open_block: block }) => block))
    path = /^<([^>]+)>; rel="next"$/.exec(answer.headers.get('link') ?? '')?.[1]
  }
  t.deepEqual([seen.length, new Set(seen).size, seen[0], seen.at(-1)], [90, 90, '119', '1'])
  const stats = await (await fetch(`${base}/api/1/admin/stats`, { headers })).json()
  t.like(stats, { unique_senders: 120, channels: { open: 30, closing: 90 } })
})

test('everybody gets the channels in parts, by what they are, and settled ones when asked for', async (t) => {
  const { receiver } = await startSystem(t)
  const [first] = manyChannels(1)
  if (first === undefined) return t.fail()
  const one = { ...first, openBlock: 7 }
  const settled = [3, 7].map((at): Channel => ({ ...one, openBlock: at, state: 'settled' }))
  const many = [...manyChannels(mostListed + 400), ...settled]
  const book = withChannels(receiver, () => many)
  const server = await createReceiverServer(book, [])
  t.teardown(() => server.close())
  const base = await server.listen({ host: '127.0.0.1', port: 0 })
  const parts = async (start: string) => {
    const found: number[] = []
    for (let path: string | undefined = `/api/1/channels${start}`; path !== undefined; ) {
      const answer: Response = await fetch(base + path)
      t.is(answer.status, 200)
      found.push(((await answer.json()) as readonly unknown[]).length)
      path = /<(.*)>; rel="next"/.exec(answer.headers.get('link') ?? '')?.[1]
    }
    return found
  }
  t.deepEqual(await parts(''), [350])
  t.deepEqual(await parts('?status=opened'), [350])
  t.deepEqual(await parts('?status=closed'), [1000, 50])
  t.deepEqual(await parts('?status=settled'), [2])
  t.deepEqual(await parts('?status=all'), [1000, 402])
  t.deepEqual(await parts('?status=open&limit=200'), [200, 150])
  // All of a sender's, so that it finds its newest.
  t.deepEqual(await parts(`/${one.sender}?status=all`), [3])
  t.deepEqual(await parts(`/${one.sender}?status=all&limit=2`), [2, 1])
})

test('where nobody is shown all channels, whoever knows a sender is shown that one’s', async (t) => {
  const { receiver } = await startSystem(t)
  const many = manyChannels(3)
  const [first] = many
  const statuses = async (shown: 'all' | 'own') => {
    const book = withChannels(receiver, () => many)
    const server = await createReceiverServer(book, [], { shown })
    t.teardown(() => server.close())
    const base = await server.listen({ host: '127.0.0.1', port: 0 })
    const found: number[] = []
    for (const below of ['', '/', '?status=all', `/${first?.sender}`]) {
      found.push((await fetch(`${base}/api/1/channels${below}`)).status)
    }
    return found
  }
  t.deepEqual(await statuses('all'), [200, 200, 200, 200])
  t.deepEqual(await statuses('own'), [403, 403, 403, 200])
})
