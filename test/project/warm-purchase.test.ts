// A purchase of which nothing is new — the channel is open, the terms are known, the request has no key, the
// answer is 200 — runs through few files of each side, so that it can be read as a whole.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { givenChannel } from '../support/channel.ts'
import { executedFiles } from '../support/executed-files.ts'
import { agentWithChannel, asks, lyingReceiver, serves } from '../support/lying-receiver.ts'
import { givenShop } from '../support/shop.ts'

/** As on a Pi with several cores; nothing looks at the chain meanwhile. */
const quiet = { verifierThreads: 2, pollInterval: 3_600_000 }

const features = new Set(['parallel', 'idempotency', 'eip712', 'relay'] as const)

/**
 * Eleven, and five that every purchase passes to learn whether its channel is bound: the face holds the owner's
 * choice, the binding and the receiver's keys decide, and both are read from the ledger's notes and records.
 */
const asked = new Set([
  'agent/on-contract.ts',
  'agent/channels/binding.ts',
  'agent/channels/request-keys.ts',
  'agent/channels/notes.ts',
  'agent/channels/records.ts',
])

test.serial(
  'the agent’s side: at most eleven files, and five that ask whether the channel is bound',
  async (t) => {
    const receiver = await lyingReceiver(t, ({ payment }) =>
      payment === undefined ? asks({ features }) : serves({ features, cost: 5n }),
    )
    const agent = await agentWithChannel(t, { reservation: 16, budget: { total: 900n } })
    for (let i = 0; i < 3; i++) await agent.get(receiver.url)
    const executed = await executedFiles(async () => {
      const { status, payment, roundTrips } = await agent.get(receiver.url)
      t.deepEqual([status, payment?.balance, roundTrips], [200, 20n, 1])
    })
    const all = executed.filter((path) => path.startsWith('agent/'))
    // The eleventh, channels/hours.ts, is what the page's sums by the hour are made of.
    const files = all.filter((path) => !asked.has(path))
    t.log(all.join('\n'))
    t.true(files.includes('agent/purchase/states.ts'))
    t.true(files.length <= 11, `${files.length} files`)
  },
)

/**
 * The eleventh, http/bound.ts, looks whether the request is bound: most end there. The twelfth,
 * channels/ledger-record.ts, is a channel's record byte by byte, apart from what the other records are. The
 * thirteenth, channels/book-ledgers.ts, claims in memory what a shared state claims in its database.
 */
const most = 13

/** What HTTP asks of every request: the order on its connection, content held back, what caches may keep. */
const ofHttp = new Set([
  'receiver/http/order.ts',
  'receiver/http/waiting.ts',
  'receiver/paywall/caching.ts',
  // Whether its price is the same for everybody, and may be kept.
  'receiver/paywall/price.ts',
])

/** The check of the proof itself, which threads run when several payments come at once. */
const ofThreads = new Set(['receiver/signatures/checker.ts', 'receiver/signatures/recovery.ts'])

test.serial(
  'the receiver’s side: at most thirteen files, and four that every HTTP request passes',
  async (t) => {
    const { pay } = await givenChannel(t, { receiver: quiet })
    await pay(5n)
    const executed = await executedFiles(async () => {
      const answer = await pay(10n)
      t.deepEqual([answer.status, await answer.text()], [200, '{"celsius":21.4}'])
    })
    const all = executed.filter((path) => path.startsWith('receiver/'))
    const files = all.filter((path) => !ofHttp.has(path) && !ofThreads.has(path))
    t.log(all.join('\n'))
    t.true(files.includes('receiver/channels/manager.ts'))
    t.true(files.length <= most, `${files.length} files`)
  },
)

test.serial('what a configuration sells runs through its own folder besides', async (t) => {
  const resources = async (folder: string) => {
    await writeFile(join(folder, 'reading.txt'), '21.4')
    return { '/reading.txt': { files: 'reading.txt', price: '5 units' } }
  }
  const { buy } = await givenShop(t, resources, quiet)
  await buy('/reading.txt', 5n)
  const executed = await executedFiles(async () => {
    const answer = await buy('/reading.txt', 5n)
    t.deepEqual([answer.status, await answer.text()], [200, '21.4'])
  })
  const files = executed.filter((path) => path.startsWith('receiver/'))
  // Of what is sold from a folder or an upstream, http/sandbox.ts says in what origin a browser runs it.
  const own = (path: string) =>
    path.startsWith('receiver/resources/') ||
    path === 'receiver/http/sandbox.ts' ||
    ofHttp.has(path) ||
    ofThreads.has(path)
  const others = files.filter((path) => !own(path))
  t.log(files.join('\n'))
  t.true(others.length <= most, `${others.length} files`)
})
