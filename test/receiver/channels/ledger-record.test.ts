// How a ledger lies on the disk, and how one of format 4 comes there.
import { join } from 'node:path'
import test from 'ava'
import fc from 'fast-check'
import { recordReader, recordWriter } from '../../../platform/state/record-bytes.ts'
import { openState } from '../../../platform/state/state.ts'
import { parseRequestPublicKey } from '../../../protocol/bound/index.ts'
import {
  type Address,
  maxTokenAmount,
  parseCommitment,
  parseSignature,
  parseTickWord,
} from '../../../protocol/index.ts'
import { takeOnFormat4 } from '../../../receiver/channels/format-4.ts'
import { decodeLedger, encodeLedger } from '../../../receiver/channels/ledger-record.ts'
import {
  channelName,
  emptyLedger,
  type PaymentLedger,
  type TickedProof,
} from '../../../receiver/channels/records.ts'
import { openStore } from '../../../receiver/channels/store.ts'
import { temporaryFolder } from '../../support/folder.ts'

const sender = `0x${'33'.repeat(20)}` as Address
const owner = { chainId: 1n, contract: sender, account: sender }
const signature = parseSignature(`0x${'11'.repeat(64)}1b`)
const commitmentText = `100 5 16 0x${'22'.repeat(32)} 0x${'33'.repeat(64)}1c`
const commitment = parseCommitment(commitmentText)
const tick: TickedProof = {
  ...{ commitment, index: 3, form: 'eip712' },
  word: parseTickWord(`0x${'44'.repeat(32)}`),
}
const requestKey = { key: parseRequestPublicKey(`0x02${'ab'.repeat(32)}`), number: 7n }

const full: PaymentLedger = {
  claims: { highest: 150n, unclaimed: [{ from: 0n, to: 1n }] },
  proof: { signature, form: 'seed' },
  ticks: tick,
  fallbacks: [{ balance: 40n, signature, form: 'eip712' }],
  ...{ agreedToClose: true, agreedBalance: 150n, collecting: true },
  requestKey,
  answers: {
    last: 70,
    open: [
      { number: 69, mac: 'ab'.repeat(16), paid: { from: 140n, to: 145n } },
      { number: 70, mac: 'cd'.repeat(16), paid: { from: 145n, to: 150n } },
    ],
  },
}
const ticked: PaymentLedger = {
  ...emptyLedger,
  claims: { highest: 115n, unclaimed: [] },
  proof: tick,
  ticks: tick,
}
const { ticks: _, ...forgotten } = ticked

test('every kind of ledger is read back to the unit', (t) => {
  for (const ledger of [emptyLedger, full, ticked, forgotten]) {
    const beside = { commitment, requestKey: ledger.requestKey }
    t.deepEqual(decodeLedger(encodeLedger(ledger), beside), ledger)
  }
})

test('an amount may have all its bytes, and not one unit more', (t) => {
  const at = (highest: bigint) => ({ ...emptyLedger, claims: { highest, unclaimed: [] } })
  t.deepEqual(decodeLedger(encodeLedger(at(maxTokenAmount))), at(maxTokenAmount))
  t.throws(() => decodeLedger(encodeLedger(at(maxTokenAmount + 1n))), { instanceOf: RangeError })
})

test('numbers are read back, up to the largest that is safe and no further', (t) => {
  const written = (value: number) => {
    const writer = recordWriter()
    writer.count(value)
    return writer.bytes()
  }
  const most = Number.MAX_SAFE_INTEGER
  for (const value of [0, 1, 127, 128, 16_383, 16_384, 2 ** 31, 2 ** 32, most]) {
    t.is(recordReader(written(value)).count(), value)
  }
  t.deepEqual([written(127).length, written(128).length], [1, 2])
  t.throws(() => recordReader(Buffer.from('ffffffffffffff7f', 'hex')).count(), {
    message: /too large/,
  })
})

test('a record that is cut off, or goes on behind its end, is damage', (t) => {
  for (const ledger of [full, ticked, forgotten]) {
    const record = encodeLedger(ledger)
    for (let length = 0; length < record.length; length++) {
      t.throws(() => decodeLedger(record.subarray(0, length), { commitment }))
    }
    t.throws(() => decodeLedger(Buffer.concat([record, Buffer.of(0)]), { commitment }))
  }
})

test('whatever bytes a damaged disk gives, they are read or refused', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (record) => {
      try {
        t.is(typeof decodeLedger(record, { commitment }).claims.highest, 'bigint')
      } catch (error) {
        t.true(error instanceof Error)
      }
    }),
  )
})

test('what a payment does not change is not written again', async (t) => {
  let records = 0
  const store = await openStore(await temporaryFolder(t), owner, {
    onCommit: (written) => (records = written),
  })
  const name = channelName(sender, 7)
  const bound = { ...ticked, requestKey }
  await store.saveLedger(name, bound)
  t.is(records, 3)
  await store.saveLedger(name, { ...bound, claims: { highest: 120n, unclaimed: [] } })
  t.is(records, 1)
  const other = { ...requestKey, number: 8n }
  await store.saveLedger(name, { ...bound, requestKey: other })
  t.is(records, 2)
  t.deepEqual((await store.load()).ledgers.get(name), { ...bound, requestKey: other })
  await store.dropLedger(name)
  t.is(records, 3)
  t.is((await store.load()).ledgers.size, 0)
  await store.close()
})

// Written by the program of format 4.
const format4: readonly (readonly [key: string, value: string])[] = [
  [
    `ledger/${channelName(sender, 7)}`,
    '{"highest":"150","unclaimed":[["0","1"]],"seed":"ERERERERERERERERERERERERERERERERERERERERERERERERERERERERERERERERERERERERERERERERERERERs=","anchor":[3,"REREREREREREREREREREREREREREREREREREREREREQ="],"fallbacks":[["40","eip712","ERERERERERERERERERERERERERERERERERERERERERERERERERERERERERERERERERERERERERERERERERERERs="]],"agreedToClose":true,"agreedBalance":"150","collecting":true,"requestKey":["0x02abababababababababababababababababababababababababababababababab","7"],"answers":[70,5,69,70]}',
  ],
  [`ticks/${channelName(sender, 7)}`, commitmentText],
  // The slot of number 5 has been taken by 69: it is not to be run again.
  [`ring/${channelName(sender, 7)}/5`, '[69,"q6urq6urq6urq6urq6urqw","140","145"]'],
  [`ring/${channelName(sender, 7)}/6`, '[70,"zc3Nzc3Nzc3Nzc3Nzc3NzQ","145","150"]'],
  [`ring/${channelName(sender, 7)}/4`, '[68,"zc3Nzc3Nzc3Nzc3Nzc3NzQ","135","140"]'],
  [
    `ledger/${channelName(sender, 8)}`,
    '{"highest":"115","tick":[3,"REREREREREREREREREREREREREREREREREREREREREQ="]}',
  ],
  [`ticks/${channelName(sender, 8)}`, commitmentText],
  [
    `ledger/${channelName(sender, 9)}`,
    '{"highest":"115","tick":[3,"REREREREREREREREREREREREREREREREREREREREREQ="],"forgotten":true}',
  ],
  [`ticks/${channelName(sender, 9)}`, commitmentText],
  [`ledger/${channelName(sender, 10)}`, '{"highest":"0"}'],
]

const expected = new Map([
  [channelName(sender, 10), emptyLedger],
  [channelName(sender, 7), full],
  [channelName(sender, 8), ticked],
  [channelName(sender, 9), forgotten],
])

async function stateOf4(folder: string, more: typeof format4 = []): Promise<void> {
  const old = await openState({ folder, owner, program: 'receiver', format: 4 })
  await old.batch([...format4, ...more].map(([key, value]) => ({ type: 'put', key, value })))
  await old.close()
}

test('state of format 4 is taken on whole; its program refuses what became of it', async (t) => {
  const folder = join(await temporaryFolder(t), 'state')
  await stateOf4(folder)
  for (const time of ['first', 'second']) {
    const store = await openStore(folder, owner)
    t.deepEqual((await store.load()).ledgers, expected, time)
    await store.close()
  }
  await t.throwsAsync(openState({ folder, owner, program: 'receiver', format: 4 }), {
    code: 'state_format_unknown',
  })
})

test('nothing of format 4 is left, however often it was begun', async (t) => {
  const folder = join(await temporaryFolder(t), 'state')
  // More than is moved at once.
  const many = Array.from({ length: 1001 }, (_, at) => {
    return [`ledger/${channelName(sender, 100 + at)}`, `{"highest":"${at}"}`] as const
  })
  await stateOf4(folder, many)
  const db = await openState({ folder, owner, program: 'receiver', format: 4 })
  const to = { ledger: 'paid/', requestKey: 'key/' }
  let writes = 0
  const batch = db.batch.bind(db)
  Object.assign(db, {
    batch: (...args: Parameters<typeof batch>) =>
      ++writes === 2 ? Promise.reject(new Error('the power went')) : batch(...args),
  })
  await t.throwsAsync(takeOnFormat4(db, to), { message: 'the power went' })
  await takeOnFormat4(db, to)
  t.deepEqual(await db.keys({ gte: 'ledger/', lt: 'ledger0' }).all(), [])
  t.deepEqual(await db.keys({ gte: 'ring/', lt: 'ring0' }).all(), [])
  await db.close()
  const store = await openStore(folder, owner)
  const { ledgers } = await store.load()
  t.is(ledgers.size, expected.size + many.length)
  t.deepEqual(ledgers.get(channelName(sender, 7)), full)
  t.is(ledgers.get(channelName(sender, 1100))?.claims.highest, 1000n)
  await store.close()
})

test('a ledger of format 4 that cannot be read stops the start, and stays', async (t) => {
  const folder = join(await temporaryFolder(t), 'state')
  await stateOf4(folder, [[`ledger/${channelName(sender, 11)}`, '{"highest":']])
  await t.throwsAsync(openStore(folder, owner), { code: 'state_unusable' })
  const db = await openState({ folder, owner, program: 'receiver', format: 4 })
  t.is(await db.get(`ledger/${channelName(sender, 11)}`), '{"highest":')
  await db.close()
})
