// Payments by ticks, as a receiver sees them that checks each one by the protocol alone.
import { cp, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { chainOf } from '../../../agent/channels/commitment.ts'
import type { AgentOptions, SentPayment } from '../../../agent/index.ts'
import { failNextBatch } from '../../support/failing-level.ts'
import { temporaryFolder } from '../../support/folder.ts'
import { channel } from '../../support/lying-receiver.ts'
import { type TickCase, tickCase, within } from '../../support/tick-agent.ts'
import { until } from '../../support/until.ts'

const times = (count: number) => Array.from({ length: count }, (_, index) => index)

test('the second payment in a row brings a commitment, and each after it a tick', async (t) => {
  const { agent, url, books, signer } = await tickCase(t)
  for (const number of times(21)) {
    t.is((await agent.get(url)).text(), `/data ${number + 1}`)
  }
  t.deepEqual(books.proofs.slice(0, 4), ['signature', 'commitment', 'tick', 'tick'])
  t.deepEqual(books.proofs.slice(16), ['tick', 'commitment', 'tick', 'tick', 'tick'])
  t.is(books.highest, 105n)
  t.is(signer.signed(), 4, 'the key, the first payment, and two commitments')
})

test('one that was used up is followed by a longer one', async (t) => {
  const { agent, url, books } = await tickCase(t)
  const longest = 1 + 16 + 64 + 256
  for (const _ of times(longest + 1)) await agent.get(url)
  const at = books.proofs.flatMap((proof, index) => (proof === 'commitment' ? [index] : []))
  t.deepEqual(at, [1, 17, 81, 337])
})

interface Without {
  readonly when: string
  readonly given: TickCase
}

const offered = { taken: true, offered: true }
const withouts: readonly Without[] = [
  { when: 'the contract knows none', given: { version: '0.3.0' } },
  { when: 'the owner wants none', given: { agent: { ticks: 0 } } },
  {
    when: 'the receiver offers none',
    given: { receiver: { ticks: () => ({ ...offered, offered: false }) } },
  },
]

for (const { when, given } of withouts) {
  test(`signatures only where ${when}`, async (t) => {
    const { agent, url, books } = await tickCase(t, given)
    for (const _ of times(5)) await agent.get(url)
    t.deepEqual(
      books.proofs,
      times(5).map(() => 'signature'),
    )
  })
}

test('the owner’s limit: no commitment is longer', async (t) => {
  const { agent, url, books } = await tickCase(t, { agent: { ticks: 4 } })
  for (const _ of times(10)) await agent.get(url)
  const expected = ['signature', ...times(9).map((at) => (at % 4 === 0 ? 'commitment' : 'tick'))]
  t.deepEqual(books.proofs, expected)
})

test('at or below a balance that was shown nothing is proven', async (t) => {
  const second = held()
  const { agent, origin, url, books } = await tickCase(t, {
    receiver: { charges: (path) => (path === '/free' ? 0n : 5n) },
  })
  for (const _ of times(2)) await agent.get(url)
  // What it gives back lies below what is paid meanwhile.
  const free = agent.get(`${origin}/free`, { onPayment: () => second.released })
  await until(() => agent.channels()[0]?.signed === 15n)
  await agent.get(url)
  second.release()
  await free
  t.is(books.highest, 20n)
  t.is((await agent.get(url)).payment?.balance, 15n)
  t.deepEqual(books.proofs, ['signature', 'commitment', 'tick', 'tick', 'nothing'])
})

test('a receiver that lost what it had shown is shown it again', async (t) => {
  const second = held()
  const { agent, origin, url, books, signer } = await tickCase(t, {
    receiver: { charges: (path) => (path === '/free' ? 0n : 5n) },
  })
  for (const _ of times(2)) await agent.get(url)
  const { best, highest } = books
  const free = agent.get(`${origin}/free`, { onPayment: () => second.released })
  await until(() => agent.channels()[0]?.signed === 15n)
  await agent.get(url)
  second.release()
  await free
  books.restore(highest, best)
  const signed = signer.signed()
  t.is((await agent.get(url)).payment?.balance, 15n)
  t.deepEqual(books.proofs.slice(4), ['nothing', 'commitment'])
  t.is(signer.signed(), signed)
})

function held() {
  let release = (): void => undefined
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  return { released, release: () => release() }
}

interface Prices {
  readonly when: string
  readonly prices: readonly number[]
  readonly proofs: string
}

const letters: { readonly [proof: string]: string } = {
  signature: 's',
  commitment: 'c',
  tick: 't',
  nothing: 'n',
}

const pricings: readonly Prices[] = [
  {
    when: 'off the grid once: the commitment goes on where it ends on it',
    prices: [5, 5, 7, 3, 5],
    proofs: 'scstt',
  },
  { when: 'multiples of the step are ticks', prices: [5, 5, 10, 15, 5], proofs: 'scttt' },
  { when: 'another price twice: a commitment for it', prices: [5, 5, 7, 7, 7], proofs: 'scsct' },
  {
    when: 'prices that change all the time: what divides them',
    prices: [6, 9, 6, 9, 6],
    proofs: 'ssctt',
  },
  { when: 'more than 64 steps are signed', prices: [1, 65, 1, 65, 1], proofs: 'sssss' },
]

for (const { when, prices, proofs } of pricings) {
  test(`prices: ${when}`, async (t) => {
    const { agent, origin, books } = await tickCase(t, {
      receiver: { priceAt: (path) => BigInt(path.split('/')[1] ?? 5) },
    })
    for (const price of prices) await agent.get(`${origin}/${price}/data`)
    t.is(books.proofs.map((each) => letters[each]).join(''), proofs)
  })
}

test('a tick that is not known: the same payment with its commitment, and no new signature', async (t) => {
  const { agent, url, books, signer } = await tickCase(t)
  for (const _ of times(4)) await agent.get(url)
  books.restore(books.highest, books.best)
  const signed = signer.signed()
  t.is((await agent.get(url)).payment?.balance, 25n)
  t.deepEqual(books.proofs.slice(4), ['tick', 'commitment'])
  await agent.get(url)
  t.is(books.proofs.at(-1), 'tick')
  t.is(signer.signed(), signed)
})

test('never known: one payment is signed after it, and then all on the channel, in later processes too', async (t) => {
  let taken = true
  const { agent, url, books, signer, start } = await tickCase(t, {
    receiver: { ticks: () => ({ taken, offered: true }) },
  })
  for (const _ of times(3)) await agent.get(url)
  taken = false
  const signed = signer.signed()
  await agent.get(url)
  t.deepEqual(books.proofs.slice(3), ['tick', 'commitment', 'signature'])
  t.is(signer.signed(), signed + 1)
  t.is(books.highest, 20n)
  await agent.get(url)
  await agent.stop()
  const later = await start()
  for (const _ of times(3)) await later.get(url)
  t.deepEqual(
    books.proofs.slice(6),
    times(4).map(() => 'signature'),
  )
})

test('a day after a commitment was refused it is tried once more', async (t) => {
  let taken = true
  const { agent, url, books, signer, store, start } = await tickCase(t, {
    receiver: { ticks: () => ({ taken, offered: true }) },
  })
  for (const _ of times(3)) await agent.get(url)
  taken = false
  await agent.get(url)
  await agent.stop()
  const key = `ticks/${channel}`
  const dayPasses = () =>
    within(store, ({ notes }) => {
      const note = notes.get(key) as { readonly refused: number }
      return notes.now(key, { ...note, refused: note.refused - 86_400_000 })
    })
  await dayPasses()
  const next = await start()
  const before = books.proofs.length
  for (const _ of times(2)) await next.get(url)
  t.deepEqual(books.proofs.slice(before), ['commitment', 'signature', 'signature'])
  await next.stop()
  await dayPasses()
  taken = true
  const third = await start()
  const signed = signer.signed()
  for (const _ of times(2)) await third.get(url)
  t.deepEqual(books.proofs.slice(-2), ['commitment', 'tick'])
  t.is(signer.signed(), signed)
})

test('ticks that are turned off leave the commitment, which serves again when they are on', async (t) => {
  const { agent, url, books, signer, store, start } = await tickCase(t)
  for (const _ of times(3)) await agent.get(url)
  await agent.stop()
  const off = await start({ ticks: 0 })
  await off.get(url)
  await off.stop()
  t.is(books.proofs.at(-1), 'signature')
  t.not(await within(store, async (ledger) => ledger.commitment(channel)), undefined)
  const on = await start()
  const signed = signer.signed()
  await on.get(url)
  t.is(books.proofs.at(-1), 'tick')
  t.is(signer.signed(), signed)
})

test('on a full disk no commitment leaves, and what is reserved is signed', async (t) => {
  const { agent, url, books, store } = await tickCase(t)
  await agent.get(url)
  failNextBatch(store)
  await agent.get(url)
  await agent.get(url)
  t.deepEqual(books.proofs, ['signature', 'signature', 'commitment'])
  t.is(books.highest, 15n)
})

test('a receiver that went back to a version without ticks is paid with signatures', async (t) => {
  let version = { taken: true, offered: true }
  const { agent, url, books } = await tickCase(t, { receiver: { ticks: () => version } })
  for (const _ of times(3)) await agent.get(url)
  version = { taken: false, offered: false }
  for (const _ of times(2)) await agent.get(url)
  t.is(books.highest, 25n)
  t.deepEqual(books.proofs.slice(-2), ['signature', 'signature'])
})

test('requests beside each other make one commitment', async (t) => {
  const { agent, url, books, signer } = await tickCase(t)
  await agent.get(url)
  const before = signer.signed()
  await Promise.all(times(8).map(() => agent.get(url)))
  t.is(books.highest, 45n)
  t.is(signer.signed(), before + 1)
  t.false(books.proofs.slice(1).includes('signature'))
})

test('a clean stop and a new process: the chain goes on without a signature', async (t) => {
  const { agent, url, books, signer, start } = await tickCase(t)
  for (const _ of times(3)) await agent.get(url)
  await agent.stop()
  const before = signer.signed()
  const asked = books.asked.length
  const next = await start()
  for (const _ of times(2)) await next.get(url)
  t.is(signer.signed(), before)
  t.deepEqual(books.proofs.slice(3), ['tick', 'tick'])
  t.false(books.asked.slice(asked).some(({ method }) => method === 'PUT'))
})

test('one payment a process: after two of them no signature is made', async (t) => {
  const { agent, url, books, start } = await tickCase(t)
  await agent.get(url)
  await agent.stop()
  for (const _ of times(4)) {
    const next = await start()
    await next.get(url)
    await next.stop()
  }
  t.deepEqual(books.proofs, ['signature', 'commitment', 'tick', 'tick', 'tick'])
})

/** The store as it lies on the disk while its agent runs: what a power cut leaves. */
async function afterPowerCut(t: Parameters<typeof tickCase>[0], store: string): Promise<string> {
  const folder = join(await temporaryFolder(t), 'agent')
  await cp(store, folder, { recursive: true })
  return folder
}

test('after a power cut the receiver is asked first, and its tick is believed: the chain goes on', async (t) => {
  const { agent, url, books, store, start, signer } = await tickCase(t)
  for (const _ of times(5)) await agent.get(url)
  const next = await start({}, await afterPowerCut(t, store))
  const shown = next.channels()[0]
  t.false(shown?.certain)
  t.is(shown?.balance, shown?.bound, 'all to the bound counts')
  const asked = books.asked.length
  const before = signer.signed()
  t.is((await next.get(url)).payment?.balance, 30n)
  t.deepEqual(
    books.asked.slice(asked).map(({ method }) => method),
    ['GET', 'PUT', 'GET'],
  )
  // Whether the receiver knows it may have been learned after the last write.
  t.is(books.proofs.at(-1), 'commitment')
  t.is(signer.signed(), before + 1, 'the request key')
  t.is(next.channels()[0]?.signed, 30n)
})

test('after a power cut a receiver that shows nothing is signed no more than was signed before', async (t) => {
  const { agent, url, books, store, start } = await tickCase(t)
  for (const _ of times(4)) await agent.get(url)
  books.restore(0n, undefined)
  books.proofs.length = 0
  const next = await start({}, await afterPowerCut(t, store))
  for (const _ of times(3)) await next.get(url)
  t.is(books.highest, 15n)
  // At the base of the old commitment there is no tick: another one begins below it.
  t.deepEqual(books.proofs, ['commitment', 'tick', 'tick'])
})

test('after a power cut a receiver that shows a lower tick is paid from there', async (t) => {
  const { agent, url, books, store, start } = await tickCase(t)
  for (const _ of times(3)) await agent.get(url)
  const { best, highest } = books
  for (const _ of times(3)) await agent.get(url)
  books.restore(highest, best)
  const next = await start({}, await afterPowerCut(t, store))
  t.is((await next.get(url)).payment?.balance, highest + 5n)
})

interface Lie {
  readonly what: string
  readonly balance: bigint
  readonly change: (shown: string) => string
}

const lies: readonly Lie[] = [
  { what: 'a tick without its commitment', balance: 25n, change: (shown) => shown.slice(0, 66) },
  { what: 'a balance one step above the tick', balance: 30n, change: (shown) => shown },
  { what: 'a balance off the grid', balance: 26n, change: (shown) => shown },
  {
    what: 'a foreign root: another word',
    balance: 25n,
    change: (shown) => `0x${'77'.repeat(32)}${shown.slice(66)}`,
  },
  {
    what: 'an index above the ticks',
    balance: 25n,
    change: (shown) => `${shown.slice(0, 126)}0011${shown.slice(130)}`,
  },
]

for (const { what, balance, change } of lies) {
  test(`after a power cut the receiver shows ${what}: nothing is believed and nothing leaves`, async (t) => {
    const { agent, url, books, store, start } = await tickCase(t)
    for (const _ of times(5)) await agent.get(url)
    const shown = change(books.best ?? '')
    books.restore(balance, shown as NonNullable<typeof books.best>)
    const next = await start({}, await afterPowerCut(t, store))
    const before = books.proofs.length
    await t.throwsAsync(next.get(url))
    t.is(books.proofs.length, before)
    t.false(next.channels()[0]?.certain)
  })
}

test('an old backup knows no commitment: it believes the tick, and makes another one', async (t) => {
  const { agent, url, books, store, start, signer } = await tickCase(t)
  await agent.get(url)
  const old = await afterPowerCut(t, store)
  for (const _ of times(30)) await agent.get(url)
  await agent.stop()
  const restored = await start({}, old)
  const before = signer.signed()
  t.is((await restored.get(url)).payment?.balance, 160n, 'above the bound that it had')
  t.is((await restored.get(url)).payment?.balance, 165n)
  t.true(signer.signed() > before)
  t.is(books.highest, 165n)
})

test('a cloned disk reveals the same ticks: the second is told what is spent, and nothing more is owed', async (t) => {
  const { agent, url, books, store, start } = await tickCase(t, { receiver: { forgets: true } })
  for (const _ of times(3)) await agent.get(url)
  await agent.stop()
  const clone = await start({}, await afterPowerCut(t, store))
  const first = await start()
  for (const _ of times(2)) await first.get(url)
  t.is(books.highest, 25n)
  t.is((await clone.get(url)).payment?.balance, 30n)
  t.is(books.highest, 30n)
})

test('budgets count what was revealed, not the commitment', async (t) => {
  const { agent, url, books } = await tickCase(t, {
    agent: { budget: { hour: 15n }, reservation: 1 },
  })
  for (const _ of times(3)) await agent.get(url)
  await t.throwsAsync(agent.get(url), { code: 'budget_hour_spent' })
  t.is(books.offered, 15n)
})

test('a cap that was lowered in the middle of a commitment holds', async (t) => {
  const { agent, url, books, start } = await tickCase(t, { agent: { reservation: 1 } })
  for (const _ of times(3)) await agent.get(url)
  await agent.stop()
  const next = await start({ budget: { total: 20n } })
  await next.get(url)
  await t.throwsAsync(next.get(url), { code: 'budget_total_spent' })
  t.is(books.offered, 20n)
})

test('what proves payments is in the channel’s record alone', async (t) => {
  const sent: SentPayment[] = []
  const { agent, url, store, books } = await tickCase(t)
  const onPayment = (payment: SentPayment) => void sent.push(payment)
  for (const _ of times(4)) await agent.get(url, { onPayment })
  const shown = JSON.stringify(
    [agent.channels(), agent.budget(), agent.history(), sent],
    (_, value) => (typeof value === 'bigint' ? `${value}` : value),
  )
  await agent.stop()
  await within(store, async (ledger) => {
    const own = ledger.commitment(channel)
    if (own === undefined) return t.fail('there is no commitment')
    const chain = chainOf(own)
    t.false(shown.includes(own.last.slice(2)))
    t.false(books.asked.some((asked) => JSON.stringify(asked.fields).includes(own.last.slice(2))))
    const noted = JSON.stringify(ledger.notes.keysUnder('').map((key) => ledger.notes.get(key)))
    for (const index of times(own.ticks + 1).slice(4)) {
      const word = chain.word(index).slice(2)
      t.false(shown.includes(word))
      t.false(noted.includes(word))
    }
  })
})

test('the close is at what was paid, not at the commitment’s end or the bound', async (t) => {
  const { agent, url, books, origin } = await tickCase(t)
  for (const _ of times(3)) await agent.get(url)
  await t.throwsAsync(agent.closeChannel(channel, origin))
  t.is(books.closedAt, 15n)
})

test('a failed write of a commitment lets nothing of it leave', async (t) => {
  const { agent, url, books } = await tickCase(t)
  await agent.get(url)
  await agent
    .get(url, {
      onPayment: () => {
        throw new Error('not now')
      },
    })
    .catch(() => undefined)
  t.deepEqual(books.proofs, ['signature'])
  // It is taken back before it left: the commitment is there, and the next payment begins at its base.
  await agent.get(url)
  t.deepEqual(books.proofs, ['signature', 'commitment'])
  t.is(books.highest, 10n)
})

const gentle = async (t: Parameters<typeof tickCase>[0]): Promise<Partial<AgentOptions>> => ({
  spool: join(await temporaryFolder(t), 'spool'),
})

test('a card that is spared: neither a commitment nor its ticks are on the card where the bound is', async (t) => {
  const { agent: first, url, books, store, start } = await tickCase(t)
  await first.stop()
  const spooled = { ...(await gentle(t)), reservation: 200 }
  const agent = await start(spooled)
  await agent.get(url)
  const sizes = await sizesIn(store)
  for (const _ of times(20)) await agent.get(url)
  t.deepEqual(await sizesIn(store), sizes, 'it writes nothing to the card')
  t.is(books.proofs.filter((each) => each === 'commitment').length, 2)
  const lost = await start({}, await afterPowerCut(t, store))
  t.is((await lost.get(url)).payment?.balance, 110n, 'what the receiver shows of it is believed')
  t.is((await lost.get(url)).payment?.balance, 115n)
  t.deepEqual(books.proofs.slice(-2), ['signature', 'commitment'], 'another one')
  t.is(books.highest, 115n)
})

test('a card that is spared: an older commitment on the card is paid with only above what was shown', async (t) => {
  let price = 5n
  const {
    agent: first,
    url,
    books,
    store,
    start,
  } = await tickCase(t, {
    receiver: { priceAt: () => price },
  })
  await first.stop()
  const agent = await start({ ...(await gentle(t)), reservation: 100 })
  for (const _ of times(3)) await agent.get(url)
  await agent.flush()
  // Another step, whose commitment only the spool has.
  price = 7n
  for (const _ of times(3)) await agent.get(url)
  t.deepEqual(books.proofs.slice(-2), ['commitment', 'tick'])
  const { highest } = books
  price = 5n
  const next = await start({ reservation: 100 }, await afterPowerCut(t, store))
  for (const _ of times(3)) await next.get(url)
  t.is(books.highest, highest + 15n)
})

async function sizesIn(folder: string) {
  const names = (await readdir(folder)).sort()
  return Promise.all(names.map(async (name) => [name, (await readFile(join(folder, name))).length]))
}
