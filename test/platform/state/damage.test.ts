// State folders that a power cut or a dying disk has damaged: whatever is broken, opening and reading them
// works, or ends in an error that says so. Not flipped bits in a table: on those LevelDB itself may end the
// process.
import { cp, readdir, readFile, rm, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { openLedger } from '../../../agent/channels/ledger.ts'
import { openJobs } from '../../../agent/jobs/open.ts'
import { examineState, openState } from '../../../platform/state/state.ts'
import { addressOfKey, fromHex, isUraidenError, parseSignature } from '../../../protocol/index.ts'
import { openBook } from '../../../receiver/channels/book.ts'
import { channelName } from '../../../receiver/channels/records.ts'
import { openStore } from '../../../receiver/channels/store.ts'
import { seededRandom } from '../../lab/random/random.ts'
import { temporaryFolder } from '../../support/folder.ts'
import { buy, channel, newChannel, testClock } from '../../support/ledger.ts'

const account = addressOfKey(fromHex(`0x${'11'.repeat(32)}`))
const owner = { chainId: 31337n, contract: account, account }

interface Kind {
  readonly name: string
  /** Makes one with records in tables and in the log. */
  readonly make: (folder: string) => Promise<void>
  /** Opens it and reads all of it. */
  readonly use: (folder: string) => Promise<void>
}

const ledgerOf = (folder: string) =>
  openLedger({ folder, owner, reservation: 1, budget: {}, readClock: testClock().read })

const agentLedger: Kind = {
  name: 'the agent’s ledger',
  make: async (folder) => {
    for (let start = 0; start < 3; start++) {
      const ledger = await ledgerOf(folder)
      if (start === 0) await ledger.add(newChannel(1000n))
      for (let count = 0; count < 3; count++) await ledger.take(channel, buy(1n, 'job'))
      await ledger.notes.now('bought/1', [{ time: 1 }])
      await ledger.close()
    }
  },
  use: async (folder) => {
    const ledger = await ledgerOf(folder)
    try {
      ledger.channels()
      await ledger.notes.now('bought/2', [])
    } finally {
      await ledger.close()
    }
  },
}

const jobsOf = (folder: string) =>
  openJobs({
    jobs: [],
    buyer: {} as never,
    resolve: (target) => new URL(target),
    folder,
    owner,
    onEvent: () => undefined,
  })

const agentJobs: Kind = {
  name: 'the agent’s jobs',
  make: async (folder) => {
    for (let start = 0; start < 3; start++) {
      const db = await openState({ folder, owner, program: 'agent', format: 1 })
      const payment = { price: '1', balance: '2', receiver: account, channel, at: 1 }
      const open = { id: 'a', job: 'a', began: 1, url: 'http://a/', method: 'GET', headers: {} }
      const record = { every: '* * * * *', due: 1, failures: 0, paused: false }
      await db.batch([
        { type: 'put', key: `open/${start}`, value: JSON.stringify({ ...open, payment }) },
        { type: 'put', key: `job/${start}`, value: JSON.stringify(record) },
        { type: 'put', key: `queue/file%3A/000000000000000${start}`, value: '{}' },
      ])
      await db.close()
    }
  },
  use: async (folder) => {
    const jobs = await jobsOf(folder)
    await jobs.stop()
  },
}

const receiverStore: Kind = {
  name: 'the receiver’s books',
  make: async (folder) => {
    const signature = parseSignature(`0x${'11'.repeat(64)}1b`)
    for (let start = 0; start < 3; start++) {
      const store = await openStore(folder, owner)
      await store.saveLedger(channelName(account, 7), {
        claims: { highest: BigInt(start), unclaimed: [{ from: 0n, to: 1n }] },
        proof: { signature, form: 'eip712' },
        agreedToClose: false,
      })
      await store.saveFence(7 + start)
      await store.journal.put('close', { hash: '0x00' } as never)
      await store.close()
    }
  },
  use: async (folder) => {
    const store = await openStore(folder, owner)
    try {
      await openBook(store)
      await store.readLedgers()
      await store.journal.get('close')
      await store.replies.load()
      await store.replies.unanswered()
      await store.allowances.load()
      await store.saveFence(9)
    } finally {
      await store.close()
    }
  },
}

type Damage = (file: string, random: () => number) => Promise<void>

const damages: { readonly [name: string]: Damage } = {
  empty: (file) => truncate(file, 0),
  gone: (file) => rm(file),
  'cut off': async (file, random) =>
    truncate(file, Math.floor((await readFile(file)).length * random())),
}

async function endsInWords(
  t: ExecutionContext,
  what: string,
  work: () => Promise<unknown>,
): Promise<string> {
  try {
    await work()
    return 'read'
  } catch (error) {
    const { message, stack } = error as Error
    t.true(isUraidenError(error), `${what}: ${stack}`)
    const { code } = error as { readonly code?: string }
    t.regex(code ?? '', /^(state|ledger)_/, `${what}: ${message}`)
    return code ?? ''
  }
}

for (const { name, make, use } of [agentLedger, agentJobs, receiverStore]) {
  test(`${name}, damaged: read, or told`, async (t) => {
    const folder = await temporaryFolder(t)
    const whole = join(folder, 'whole')
    await make(whole)
    const files = (await readdir(whole)).filter((file) => !/^LO(?:CK|G)/.test(file)).sort()
    t.true(files.some((file) => file.endsWith('.ldb')))
    const random = seededRandom(16)
    const found = new Map<string, number>()
    for (const [damage, harm] of Object.entries(damages)) {
      for (const file of files) {
        const copy = join(folder, 'copy')
        await cp(whole, copy, { recursive: true })
        await harm(join(copy, file), random)
        const what = `${file} ${damage}`
        await endsInWords(t, what, () => examineState({ folder: copy, program: 'agent' }))
        const code = await endsInWords(t, what, () => use(copy))
        found.set(code, (found.get(code) ?? 0) + 1)
        await rm(copy, { recursive: true })
      }
    }
    // Both happen, or the test tries nothing.
    t.true((found.get('state_unusable') ?? 0) > 0)
    t.true((found.get('read') ?? 0) > 0)
  })
}

test('a table that is empty since a power cut is found by whoever looks, not when a payment comes', async (t) => {
  const folder = join(await temporaryFolder(t), 'state')
  await agentLedger.make(folder)
  for (const file of await readdir(folder)) {
    if (file.endsWith('.ldb')) await truncate(join(folder, file), 0)
  }
  const told = { code: 'state_unusable', message: /is damaged/ }
  await t.throwsAsync(examineState({ folder, program: 'agent' }), told)
  await t.throwsAsync(ledgerOf(folder), told)
})
