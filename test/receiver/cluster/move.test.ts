// A state from a folder into a database and back, to the unit; nobody can serve on what was moved away.
import { join as path } from 'node:path'
import test from 'ava'
import fc from 'fast-check'
import { parseRequestPublicKey } from '../../../protocol/bound/index.ts'
import {
  addressOfKey,
  fromHex,
  parseCommitment,
  parseSignature,
  parseTickWord,
} from '../../../protocol/index.ts'
import {
  type ChainFacts,
  channelName,
  emptyLedger,
  type PaymentLedger,
  type TickedProof,
} from '../../../receiver/channels/records.ts'
import { type FolderStore, openStore } from '../../../receiver/channels/store.ts'
import { beat, join, leave } from '../../../receiver/cluster/membership.ts'
import { moveToDatabase, moveToFolder } from '../../../receiver/cluster/move.ts'
import { checksumOf, readLedgers, writeLedgers } from '../../../receiver/cluster/stored-ledgers.ts'
import { openDatabase } from '../../../receiver/postgres/schema.ts'
import { temporaryFolder } from '../../support/folder.ts'
import { emptyDatabase, sharedPostgres, stateOwner, withPostgres } from '../../support/postgres.ts'

const onPostgres = withPostgres(test)
const server = sharedPostgres(test)
const sender = addressOfKey(fromHex(`0x${'11'.repeat(32)}`))
const signature = parseSignature(`0x${'11'.repeat(64)}1b`)
const commitment = parseCommitment(`100 5 16 0x${'22'.repeat(32)} 0x${'33'.repeat(64)}1c`)
const tick: TickedProof = {
  ...{ commitment, index: 3, form: 'eip712' },
  word: parseTickWord(`0x${'44'.repeat(32)}`),
}
const requestKey = {
  key: parseRequestPublicKey(`0x02${'ab'.repeat(32)}`),
  number: 2n ** 64n - 1n,
}
const at = (highest: bigint): PaymentLedger => ({
  ...emptyLedger,
  claims: { highest, unclaimed: [] },
})
const full: PaymentLedger = {
  claims: {
    highest: 2n ** 192n - 1n,
    unclaimed: [
      { from: 0n, to: 1n },
      { from: 7n, to: 2n ** 190n },
    ],
  },
  proof: { signature, form: 'seed' },
  ticks: tick,
  fallbacks: [{ balance: 40n, signature, form: 'eip712' }],
  ...{ agreedToClose: true, agreedBalance: 150n, collecting: true },
  requestKey,
  answers: {
    last: 70,
    open: [
      { number: 64, mac: 'ab'.repeat(16), paid: { from: 140n, to: 145n } },
      { number: 70, mac: 'cd'.repeat(16), paid: { from: 145n, to: 150n } },
    ],
  },
}
const kinds: readonly PaymentLedger[] = [
  full,
  { ...at(100n), proof: { signature, form: 'eip712' } },
  { ...at(115n), proof: tick, ticks: tick },
  // Its commitment takes no more.
  { ...at(115n), proof: tick },
  { ...emptyLedger, requestKey },
  { ...at(5n), proof: { signature, form: 'eip712' }, agreedToClose: true },
]
const ledgers = new Map(kinds.map((ledger, block) => [channelName(sender, block + 1), ledger]))
const open = (openBlock: number, more: Partial<ChainFacts> = {}): ChainFacts => ({
  ...{ sender, openBlock, deposit: 100n, withdrawn: 3n, state: 'open', ...more },
})
const facts = new Map([
  [channelName(sender, 1), open(1)],
  [
    channelName(sender, 2),
    open(2, { state: 'closing', end: { balance: 2n, block: 8, contractBlock: 9 } }),
  ],
  // Without a payment.
  [channelName(sender, 90), open(90)],
])
const position = { block: 12, hash: '0x0c' } as const
const forgotten = { upTo: 4, channels: 2, lost: 3n, earned: 5n }
const transactions = [
  { hash: '0xbb', serialized: '0x01' },
  { hash: '0xcc', serialized: '0x02' },
] as const
const expires = Date.UTC(2100, 0)
const reply = {
  ...{ status: 200, headers: { 'content-type': 'text/plain' }, body: Buffer.from('hello') },
  ...{ expires, content: 'none' as const },
}
const unanswered = { sender, openBlock: 2, paid: { from: 90n, to: 100n }, expires }
const [answeredId, openId] = ['ab'.repeat(21), 'cd'.repeat(21)].map((each) => `${each}A`) as [
  string,
  string,
]

async function fill(store: FolderStore): Promise<void> {
  await store.saveLedgers(ledgers, 7)
  const name = channelName(sender, 2)
  await store.saveLedger(name, ledgers.get(name) ?? emptyLedger, [openId, unanswered])
  const added = [{ ...position, before: new Map([[channelName(sender, 90), undefined]]) }]
  const forgetting = { names: [], after: forgotten }
  await store.saveStep({ facts, position, added, dropped: [], forgetting })
  await store.journal.put('close/x', { nonce: 5, transactions, since: 11 })
  await store.replies.save(answeredId, reply)
  await store.allowances.save(new Map([[sender, { day: 20_000, count: 3, gas: 2n ** 70n }]]))
  await store.gasPrices.save(new Map([[480_000, 5n]]))
  await store.firstBlock.save(1)
}

async function all(store: FolderStore) {
  return {
    loaded: await store.load(),
    replies: await store.replies.load(),
    unanswered: await store.replies.unanswered(),
    allowances: await store.allowances.load(),
    gasPrices: await store.gasPrices.load(),
    firstBlock: await store.firstBlock.load(),
  }
}

onPostgres(
  'everything in a folder is in the database, and back in a folder, to the unit',
  async (t) => {
    const root = await temporaryFolder(t)
    const [from, to] = [path(root, 'from'), path(root, 'to')]
    const settings = await emptyDatabase(await server())
    const store = await openStore(from, stateOwner)
    await fill(store)
    const before = await all(store)
    t.is((await store.transactions()).size, 1)
    await store.close()

    const there = await moveToDatabase(from, settings)
    t.deepEqual(there, {
      ...{ channels: 3, ledgers: kinds.length },
      balanceSum: kinds.reduce((sum, { claims }) => sum + claims.highest, 0n),
      checksum: checksumOf(ledgers),
    })
    await t.throwsAsync(openStore(from, stateOwner), { code: 'state_moved' })
    await t.throwsAsync(moveToDatabase(from, settings), { code: 'state_moved' })

    t.deepEqual(await moveToFolder(settings, to), there)
    await t.throwsAsync(openDatabase(settings, stateOwner), { code: 'state_moved' })
    const after = await openStore(to, stateOwner)
    t.deepEqual(await all(after), before)
    const [[operation, { nonce, since, transactions: signed }] = fail(t)] =
      await after.transactions()
    t.deepEqual([operation, nonce, since], ['close/x', 5, 11])
    t.deepEqual(
      signed.map(({ serialized }) => serialized),
      transactions.map(({ serialized }) => serialized),
    )
    await after.close()
  },
)

function fail(t: { readonly fail: (message: string) => void }): never {
  t.fail('nothing is there')
  throw new Error('nothing is there')
}

onPostgres(
  'ledgers of any amounts are read back to the unit, and written over what was there',
  async (t) => {
    const settings = await emptyDatabase(await server())
    const database = await openDatabase(settings, stateOwner)
    t.teardown(database.close)
    const amount = fc.bigInt({ min: 1n, max: 2n ** 191n })
    const ledger = fc.record({ below: amount, length: amount, kind: fc.constantFrom(...kinds) })
    await fc.assert(
      fc.asyncProperty(fc.array(ledger, { maxLength: 8 }), async (given) => {
        const written = new Map(
          given.map(({ below, length, kind }, block) => {
            const claims = { highest: below + length, unclaimed: [{ from: below - 1n, to: below }] }
            return [channelName(sender, block), { ...kind, claims }]
          }),
        )
        await writeLedgers(database, written)
        const found = await readLedgers(database)
        for (const [name, each] of written) t.deepEqual(found.get(name), each)
      }),
      { numRuns: 25 },
    )
  },
)

onPostgres(
  'what is in use is not moved, nor over what is there; the folder stays as it was',
  async (t) => {
    const root = await temporaryFolder(t)
    const [from, to] = [path(root, 'from'), path(root, 'to')]
    const settings = await emptyDatabase(await server())
    const store = await openStore(from, stateOwner)
    await fill(store)
    await t.throwsAsync(moveToDatabase(from, settings), { code: 'state_in_use' })
    await store.close()
    const database = await openDatabase(settings, stateOwner)
    t.teardown(database.close)
    const member = await join(database, 'shop')
    await beat(database, member)
    await t.throwsAsync(moveToDatabase(from, settings), { code: 'state_in_use', message: /shop/ })
    await leave(database, member)
    t.is((await moveToDatabase(from, settings)).channels, 3)
    const other = path(root, 'other')
    await (await openStore(other, stateOwner)).close()
    await t.throwsAsync(moveToDatabase(other, settings), {
      code: 'state_not_empty',
      message: /with 7 channels/,
    })
    await t.throwsAsync(moveToFolder(settings, other), { code: 'state_not_empty' })
    await t.throwsAsync(moveToFolder(await emptyDatabase(await server()), to), {
      code: 'state_missing',
    })
    // Into the folder that it came from.
    t.is((await moveToFolder(settings, from)).channels, 3)
    await (await openStore(from, stateOwner)).close()
    // A process that was started before finds nothing to join.
    await t.throwsAsync(join(database), { code: 'state_moved' })
  },
)

onPostgres('a state that comes out otherwise than it went in is not moved', async (t) => {
  const from = path(await temporaryFolder(t), 'from')
  const settings = await emptyDatabase(await server())
  const store = await openStore(from, stateOwner)
  await fill(store)
  await store.close()
  const database = await openDatabase(settings, stateOwner)
  t.teardown(database.close)
  await database.query(
    `CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS $$
       BEGIN NEW.gaps := '{}'; RETURN NEW; END $$;
     CREATE TRIGGER spoil BEFORE INSERT ON ledger FOR EACH ROW EXECUTE FUNCTION spoil()`,
  )
  await t.throwsAsync(moveToDatabase(from, settings), { code: 'state_differs' })
  t.deepEqual(await database.query('SELECT FROM channel'), [])
  const again = await openStore(from, stateOwner)
  t.deepEqual((await again.load()).ledgers, ledgers)
  await again.close()
})
