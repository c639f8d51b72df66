// A backup is a whole copy of what was paid, and putting it back never loses and never invents.
import { fork } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import { createKeySigner } from '../../../../platform/keys/index.ts'
import { parseRequestPublicKey } from '../../../../protocol/bound/index.ts'
import {
  addressOfKey,
  fromHex,
  type Hex,
  isUraidenError,
  parseAddress,
} from '../../../../protocol/index.ts'
import { type Claims, claim, noClaims, unclaim } from '../../../../receiver/channels/claims.ts'
import { mergeClaims, mergeLedger } from '../../../../receiver/channels/merge.ts'
import { mostFallbacks } from '../../../../receiver/channels/proofs.ts'
import {
  channelName,
  emptyLedger,
  type SignedProof,
} from '../../../../receiver/channels/records.ts'
import { openStore } from '../../../../receiver/channels/store.ts'
import { backupOf, backupOfState, writeBackup } from '../../../../receiver/server/backup/backup.ts'
import {
  type Backup,
  type BackupChannel,
  formatBackup,
  formatUnsigned,
  parseBackup,
} from '../../../../receiver/server/backup/document.ts'
import { restoreBackup } from '../../../../receiver/server/backup/restore.ts'
import { balanceProof } from '../../../../scripts/lib/sign.ts'
import type { Work } from '../../../support/backup-process.ts'
import { givenChannel } from '../../../support/channel.ts'
import { temporaryFolder } from '../../../support/folder.ts'

const contract = parseAddress('0x74434527b8e6c8296506d61d0faf3d18c9e4649a')
const receiverSigner = createKeySigner(fromHex(`0x${'22'.repeat(32)}`))
const otherSigner = createKeySigner(fromHex(`0x${'33'.repeat(32)}`))
const receiver = receiverSigner.address
const other = otherSigner.address
const chainId = 1337n
const identity = { chainId, contract, receiver }
const key: Hex = `0x${'11'.repeat(32)}`
const sender = addressOfKey(fromHex(key))

interface PaidChannel extends BackupChannel {
  readonly proof: SignedProof
}

function channel(openBlock: number, balance: bigint, more: Partial<PaidChannel> = {}): PaidChannel {
  const form = 'eip712' as const
  const domain = { contract, chainId }
  const signature = balanceProof({ domain, receiver, openBlock, balance, key, form })
  const claims: Claims = { highest: balance, unclaimed: [] }
  return { sender, openBlock, claims, proof: { signature, form }, agreedToClose: false, ...more }
}

function backup(...channels: readonly BackupChannel[]): Backup {
  return { ...identity, created: '2026-01-02T03:04:05.000Z', channels }
}

/** Signed by the receiver that it names. */
const written = (whole: Backup) =>
  formatBackup(whole, whole.receiver === other ? otherSigner : receiverSigner)

const restoreInto = (state: string, text: string) =>
  restoreBackup({ text, state, contract, receiver })

async function ledgersOf(state: string) {
  const store = await openStore(state, { chainId, contract, account: receiver })
  const ledgers = await store.readLedgers()
  await store.close()
  return ledgers
}

test('a backup is read as it was written, and no byte of it can change', async (t) => {
  const unclaimed = [
    { from: 0n, to: 3n },
    { from: 5n, to: 9n },
  ]
  const whole = backup(
    channel(7, 10n, { claims: { highest: 10n, unclaimed } }),
    channel(8, 2n ** 192n - 1n, { agreedToClose: true }),
  )
  const text = await written(whole)
  t.deepEqual(parseBackup(text), { ...whole, signed: true })
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; at++) {
    const changed = Buffer.from(bytes)
    changed[at] = (changed[at] ?? 0) ^ 1
    t.throws(() => parseBackup(changed.toString()), undefined, `byte ${at}`)
  }
  for (let length = 0; length < text.length; length++) {
    t.throws(() => parseBackup(text.slice(0, length)), { code: 'backup_damaged' })
  }
})

test('whatever the text is, the answer is a backup or an error of ours', (t) => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
      const error = t.throws(() => parseBackup(text))
      t.true(isUraidenError(error, 'backup_damaged'))
    }),
  )
})

test('a backup of a newer format is not called damaged', (t) => {
  const text = '{"kind":"uraiden-receiver-backup","version":4,"later":true}\n{}\n'
  const error = t.throws(() => parseBackup(text), { code: 'backup_format_unknown' })
  t.true(error?.message.includes('4'))
})

const badIntervals: readonly (readonly [bigint, bigint][])[] = [
  [[3n, 3n]],
  [[4n, 3n]],
  [[9n, 11n]],
  [
    [1n, 3n],
    [3n, 5n],
  ],
  [
    [5n, 7n],
    [1n, 3n],
  ],
]

for (const pairs of badIntervals) {
  test(`unclaimed ${JSON.stringify(pairs.map(String))} of a balance of 10 is no backup`, async (t) => {
    const unclaimed = pairs.map(([from, to]) => ({ from, to }))
    const text = await written(backup(channel(7, 10n, { claims: { highest: 10n, unclaimed } })))
    t.throws(() => parseBackup(text), { code: 'backup_damaged', message: /unclaimed/ })
  })
}

test('a channel that is bound and has not paid comes back bound', async (t) => {
  const requestKey = { key: parseRequestPublicKey(`0x02${'11'.repeat(32)}`), number: 7n }
  const bound = { sender, openBlock: 9, claims: noClaims, agreedToClose: false, requestKey }
  const paid = channel(8, 20n, { requestKey: { ...requestKey, number: 8n } })
  const text = await written(backup(paid, bound))
  t.deepEqual(parseBackup(text).channels, [paid, bound])
  const state = join(await temporaryFolder(t), 'new')
  t.like(await restoreInto(state, text), { restored: 2, kept: 0 })
  t.deepEqual((await ledgersOf(state)).get(channelName(sender, 9))?.requestKey, requestKey)
  t.deepEqual(parseBackup(await backupOfState(state, identity, receiverSigner)).channels, [
    paid,
    bound,
  ])
  for (const wrong of [
    { ...bound, requestKey: undefined },
    { ...bound, claims: paid.claims },
  ]) {
    const text = await written(backup(wrong))
    t.throws(() => parseBackup(text), { code: 'backup_damaged' })
  }
})

test('a state that was lost comes back from its backup', async (t) => {
  const folder = await temporaryFolder(t)
  const text = await written(backup(channel(7, 10n), channel(8, 20n)))
  const report = await restoreInto(join(folder, 'new'), text)
  t.like(report, { restored: 2, kept: 0, balanceSum: 30n })
  t.is((await ledgersOf(join(folder, 'new'))).get(channelName(sender, 8))?.claims.highest, 20n)
  const again = parseBackup(await backupOfState(join(folder, 'new'), identity, receiverSigner))
  t.deepEqual(again.channels, parseBackup(text).channels)
})

test('a higher balance is never replaced by a lower one, and an equal one stays', async (t) => {
  const state = await temporaryFolder(t)
  const name = channelName(sender, 7)
  await restoreInto(state, await written(backup(channel(7, 10n))))
  const before = (await ledgersOf(state)).get(name)
  t.like(await restoreInto(state, await written(backup(channel(7, 9n)))), { restored: 0, kept: 1 })
  t.like(await restoreInto(state, await written(backup(channel(7, 10n)))), { restored: 0, kept: 1 })
  // A deposit that covers no more may stand again.
  t.deepEqual((await ledgersOf(state)).get(name), {
    ...before,
    fallbacks: [proven(7, 9n)],
  } as typeof before)
  t.like(await restoreInto(state, await written(backup(channel(7, 11n)))), { restored: 1, kept: 0 })
  t.is((await ledgersOf(state)).get(name)?.claims.highest, 11n)
})

const foreign: readonly (readonly [string, object])[] = [
  ['chain', { chainId: 1n }],
  ['contract', { contract: other }],
  ['receiver', { receiver: other }],
]

for (const [field, changed] of foreign) {
  test(`a backup of another ${field} is refused, and nothing is written`, async (t) => {
    const state = join(await temporaryFolder(t), 'state')
    const text = await written({ ...backup(channel(7, 10n)), ...changed })
    await t.throwsAsync(restoreBackup({ text, state, contract, receiver, chainId }), {
      code: 'backup_of_another',
      message: new RegExp(field),
    })
    await t.throwsAsync(stat(state), { code: 'ENOENT' })
  })
}

test('a backup of another chain is refused by the state that is there, too', async (t) => {
  const state = await temporaryFolder(t)
  await restoreInto(state, await written(backup(channel(7, 10n))))
  const text = await written({ ...backup(), chainId: 1n })
  await t.throwsAsync(restoreInto(state, text), { code: 'state_of_another' })
})

test('one signature that is not the sender’s, and nothing at all is restored', async (t) => {
  const state = join(await temporaryFolder(t), 'state')
  const good = channel(7, 10n)
  const forgeries = [
    channel(8, 20n, { proof: good.proof }),
    { ...channel(8, 20n), claims: { highest: 21n, unclaimed: [] } },
    { ...channel(8, 20n), proof: { ...channel(8, 20n).proof, form: 'seed' as const } },
    { ...channel(8, 20n), sender: other },
  ]
  for (const forged of forgeries) {
    const text = await written(backup(good, forged))
    await t.throwsAsync(restoreInto(state, text), { code: 'backup_signature_wrong' })
  }
  await t.throwsAsync(stat(state), { code: 'ENOENT' })
})

/** What somebody makes of a backup that he can change: `change` its lines, and the checksum over them. */
async function changed(
  whole: Backup,
  change: (line: Record<string, unknown>) => object,
  last: object = {},
): Promise<string> {
  const lines = (await written(whole)).trimEnd().split('\n')
  const end = JSON.parse(lines.pop() ?? '')
  const body = `${lines.map((line) => JSON.stringify(change(JSON.parse(line)))).join('\n')}\n`
  const sha256 = createHash('sha256').update(body).digest('hex')
  return `${body}${JSON.stringify({ ...end, sha256, ...last })}\n`
}

const gap = { unclaimed: [['0', '9']] }
const isHead = (line: Record<string, unknown>) => 'kind' in line

test('what was spent does not become unspent by a change of the backup', async (t) => {
  const state = join(await temporaryFolder(t), 'state')
  const whole = backup(channel(7, 10n))
  for (const change of [
    (line: Record<string, unknown>) => (isHead(line) ? line : { ...line, ...gap }),
    (line: Record<string, unknown>) => (isHead(line) ? line : { ...line, agreedToClose: true }),
    (line: Record<string, unknown>) => (isHead(line) ? { ...line, created: 'later' } : line),
  ]) {
    await t.throwsAsync(restoreInto(state, await changed(whole, change)), {
      code: 'backup_signature_wrong',
    })
  }
  const byAnother = await otherSigner.sign(new Uint8Array(32).fill(1))
  const text = await changed(whole, (line) => line, { signature: byAnother })
  await t.throwsAsync(restoreInto(state, text), { code: 'backup_signature_wrong' })
  await t.throwsAsync(stat(state), { code: 'ENOENT' })
})

const asBefore = (more: object) => (line: Record<string, unknown>) =>
  isHead(line) ? { ...line, version: 1 } : { ...line, ...more }

test('a backup of an earlier version, or one whose signature was taken off, gives what senders signed', async (t) => {
  const state = await temporaryFolder(t)
  const text = await changed(backup(channel(7, 10n)), asBefore(gap), { signature: undefined })
  t.like(await restoreInto(state, text), { restored: 1, signed: false, balanceSum: 10n })
  const ledger = (await ledgersOf(state)).get(channelName(sender, 7))
  t.deepEqual(ledger?.claims, { highest: 10n, unclaimed: [] })
  // Nor does it give back what the state knows as spent.
  const agreed = await changed(backup(channel(7, 10n)), asBefore({ ...gap, agreedToClose: true }), {
    signature: undefined,
  })
  t.like(await restoreInto(state, agreed), { restored: 0, kept: 1 })
  const after = (await ledgersOf(state)).get(channelName(sender, 7))
  t.deepEqual(after?.claims, { highest: 10n, unclaimed: [] })
  t.true(after?.agreedToClose)
})

test('what came with the signature is not believed without it', async (t) => {
  const state = await temporaryFolder(t)
  const whole = backup(channel(7, 10n))
  const more = {
    agreedToClose: true,
    agreedBalance: '1',
    requestKey: [`0x02${'11'.repeat(32)}`, '8'],
  }
  const text = await changed(whole, asBefore(more), { signature: undefined })
  t.like(await restoreInto(state, text), { restored: 1, signed: false })
  const ledger = (await ledgersOf(state)).get(channelName(sender, 7))
  t.like(ledger, { agreedToClose: true, agreedBalance: undefined, requestKey: undefined })
  const unsigned = await changed(whole, (line) => line, { signature: undefined })
  await t.throwsAsync(restoreInto(state, unsigned), { code: 'backup_damaged' })
  const sealed = await changed(whole, asBefore({}))
  await t.throwsAsync(restoreInto(state, sealed), { code: 'backup_damaged' })
})

test('while a receiver runs nothing is restored into its state', async (t) => {
  const state = await temporaryFolder(t)
  const store = await openStore(state, { chainId, contract, account: receiver })
  t.teardown(store.close)
  await t.throwsAsync(restoreInto(state, await written(backup(channel(7, 10n)))), {
    code: 'state_in_use',
  })
})

test('a backup is private, and replaces the one before it as a whole', async (t) => {
  const folder = await temporaryFolder(t)
  const file = join(folder, 'proofs')
  // What a killed run, or somebody with a plan, left behind.
  await writeFile(join(folder, 'bystander'), 'untouched')
  await symlink(join(folder, 'bystander'), `${file}.partial`)
  for (const balance of [10n, 20n]) {
    const text = await written(backup(channel(7, balance)))
    t.deepEqual(await writeBackup(file, text), { file, channels: 1, balanceSum: balance })
    t.is(await readFile(file, 'utf8'), text)
    t.is((await stat(file)).mode & 0o777, 0o600)
  }
  t.is(await readFile(join(folder, 'bystander'), 'utf8'), 'untouched')
  t.deepEqual((await readdir(folder)).sort(), ['bystander', 'proofs'])
  await t.throwsAsync(writeBackup(file, 'half a back'), { code: 'backup_damaged' })
  await t.throwsAsync(writeBackup(join(folder, 'no/such'), await written(backup())), {
    code: 'backup_unwritable',
  })
  t.is(parseBackup(await readFile(file, 'utf8')).channels[0]?.claims.highest, 20n)
})

/** Resolves with how long it worked. Without a delay it may finish. */
async function killedAt(t: ExecutionContext, work: Work, delay?: number): Promise<number> {
  const program = fileURLToPath(new URL('../../../support/backup-process.ts', import.meta.url))
  const child = fork(program, { serialization: 'advanced' })
  t.teardown(() => child.kill('SIGKILL'))
  const gone = once(child, 'exit')
  child.send(work)
  await once(child, 'message')
  const begun = performance.now()
  if (delay !== undefined) setTimeout(() => child.kill('SIGKILL'), delay)
  await gone
  return performance.now() - begun
}

test('killed while it writes a backup, it leaves a whole one', async (t) => {
  const folder = await temporaryFolder(t)
  const file = join(folder, 'proofs')
  const channels = Array.from({ length: 100 }, (_, at) => channel(at, 10n))
  const texts = [await written(backup()), await written(backup(...channels))]
  await writeBackup(file, texts[0] ?? '')
  for (let round = 0; round < 10; round++) {
    await killedAt(t, { kind: 'write', file, texts }, 5 * round)
    t.true(texts.includes(await readFile(file, 'utf8')))
    t.is((await stat(file)).mode & 0o777, 0o600)
  }
})

test('killed while it restores, it leaves all or nothing', async (t) => {
  const folder = await temporaryFolder(t)
  const channels = Array.from({ length: 500 }, (_, at) => channel(at, 10n))
  const text = await written(backup(...channels))
  const rounds = 10
  let whole: number | undefined
  for (let round = 0; round < rounds; round++) {
    const state = join(folder, `${round}`)
    await restoreInto(state, await written(backup(channel(0, 5n))))
    const work: Work = { kind: 'restore', options: { text, state, contract, receiver } }
    // The first one shows how long it takes; most happens near the end of that.
    const took = await killedAt(t, work, whole && whole * (0.5 + (0.5 * round) / rounds))
    whole ??= took
    const ledgers = await ledgersOf(state)
    t.true(ledgers.size === 1 || ledgers.size === 500, `${ledgers.size}`)
    const highest = ledgers.get(channelName(sender, 0))?.claims.highest
    t.is(highest, ledgers.size === 1 ? 5n : 10n)
  }
})

test('taken from a running receiver, it has every payment that was answered before', async (t) => {
  const { pay, receiver: running, channel: paid, base, headers } = await givenChannel(t)
  const stated = { 'RDN-Payment': '5' }
  const served = [5n, 10n, 15n]
  for (const balance of served) t.is((await pay(balance)).status, 200)
  const underWay = [25n, 20n, 30n].map((balance) =>
    fetch(`${base}/reading`, { headers: headers(balance, stated) }),
  )
  const text = await backupOf(running)
  await Promise.all(underWay)
  const [found] = parseBackup(text).channels
  t.is(found?.sender, paid.sender)
  t.true((found?.claims.highest ?? 0n) >= 15n)
  const folder = join(await temporaryFolder(t), 'new')
  const { contract: own, address } = running
  const report = await restoreBackup({ text, state: folder, contract: own, receiver: address })
  t.is(report.restored, 1)
  t.is(report.balanceSum, found?.claims.highest ?? 0n)
})

// A model: which units below 40 have paid.
const claimsOf = fc
  .array(
    fc.record({
      balance: fc.bigInt({ min: 1n, max: 40n }),
      price: fc.bigInt({ min: 1n, max: 6n }),
      failed: fc.boolean(),
    }),
    { maxLength: 12 },
  )
  .map((payments) =>
    payments.reduce<Claims>((claims, { balance, price, failed }) => {
      const decision = claim(claims, { balance, price, mayLeaveGap: true })
      if (decision.kind === 'refused') return claims
      return failed ? unclaim(decision.claims, decision.paid) : decision.claims
    }, noClaims),
  )

const units = Array.from({ length: 40 }, (_, at) => BigInt(at + 1))

function hasPaid({ highest, unclaimed }: Claims, unit: bigint): boolean {
  return unit <= highest && unclaimed.every(({ from, to }) => unit <= from || to < unit)
}

test('a unit has paid in the merged books exactly when it has paid in one of the two', async (t) => {
  await fc.assert(
    fc.asyncProperty(claimsOf, claimsOf, async (a, b) => {
      const merged = mergeClaims(a, b)
      t.deepEqual(mergeClaims(b, a), merged)
      t.is(merged.highest, a.highest > b.highest ? a.highest : b.highest)
      for (const unit of units) t.is(hasPaid(merged, unit), hasPaid(a, unit) || hasPaid(b, unit))
      t.deepEqual(mergeClaims(merged, a), merged)
      // As the claims keep them: apart, not empty, below the balance.
      const text = await written(backup(channel(1, merged.highest, { claims: merged })))
      t.deepEqual(parseBackup(text).channels[0]?.claims, merged)
    }),
  )
})

function proven(openBlock: number, balance: bigint) {
  const { proof } = channel(openBlock, balance)
  return { balance, ...proof }
}

test('proofs below the best come back from a backup, also from one that nobody but the senders has signed', async (t) => {
  const state = await temporaryFolder(t)
  const fallbacks = [proven(7, 40n), proven(7, 95n)]
  const whole = backup(channel(7, 150n, { fallbacks }), channel(8, 5n))
  t.deepEqual(parseBackup(await written(whole)), { ...whole, signed: true })
  t.deepEqual(parseBackup(formatUnsigned(whole)), { ...whole, signed: false })
  await restoreInto(state, await written(whole))
  const after = await ledgersOf(state)
  t.deepEqual(after.get(channelName(sender, 7))?.fallbacks, fallbacks)
  t.false('fallbacks' in (after.get(channelName(sender, 8)) ?? {}))
  // What is taken of that is the same again.
  const again = await backupOfState(state, { chainId, contract }, receiverSigner)
  t.deepEqual(parseBackup(again).channels, whole.channels)
})

test('what is the best in a backup or in the state stays below what is the best now', (t) => {
  const low = channel(7, 95n, { fallbacks: [proven(7, 40n)] })
  const high = channel(7, 150n, { fallbacks: [proven(7, 60n)] })
  const below = [40n, 60n, 95n].map((balance) => proven(7, balance))
  t.deepEqual(mergeLedger(low, high).fallbacks, below)
  t.deepEqual(mergeLedger(high, low).fallbacks, below)
  t.deepEqual(mergeLedger(high, high).fallbacks, high.fallbacks)
  t.deepEqual(mergeLedger(emptyLedger, high).fallbacks, high.fallbacks)
  const many = (from: bigint) =>
    Array.from({ length: mostFallbacks }, (_, at) => proven(7, from + BigInt(2 * at)))
  const merged = mergeLedger(
    channel(7, 90n, { fallbacks: many(1n) }),
    channel(7, 90n, { fallbacks: many(2n) }),
  )
  t.is(merged.fallbacks?.length, mostFallbacks)
})

for (const [name, fallbacks] of [
  ['as high as the balance', [proven(7, 10n)]],
  ['twice', [proven(7, 5n), proven(7, 5n)]],
  ['not in rising order', [proven(7, 6n), proven(7, 5n)]],
  ['too many', Array.from({ length: mostFallbacks + 1 }, (_, at) => proven(7, BigInt(at + 1)))],
] as const) {
  test(`proofs below the best, ${name}, are no backup`, async (t) => {
    const balance = name === 'too many' ? 100n : 10n
    const text = await written(backup(channel(7, balance, { fallbacks })))
    t.throws(() => parseBackup(text), { code: 'backup_damaged', message: /fallbacks/ })
  })
}

test('a proof below the best that its sender has not signed is not restored', async (t) => {
  const state = await temporaryFolder(t)
  const fallbacks = [{ ...proven(7, 5n), balance: 6n }]
  const text = await written(backup(channel(7, 10n, { fallbacks })))
  await t.throwsAsync(restoreInto(state, text), { code: 'backup_signature_wrong' })
})

test('the proof goes with the higher balance, and an agreement to close is not forgotten', (t) => {
  const low = channel(7, 5n, { agreedToClose: true })
  const high = channel(7, 10n)
  t.deepEqual(mergeLedger(low, high).proof, high.proof)
  t.deepEqual(mergeLedger(high, low).proof, high.proof)
  t.true(mergeLedger(low, high).agreedToClose)
  t.true(mergeLedger(high, low).agreedToClose)
  t.deepEqual(mergeLedger(undefined, high), mergeLedger(high, high))
})
