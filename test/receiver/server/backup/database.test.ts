// Backups of a state that receivers share.
import test from 'ava'
import { createKeySigner } from '../../../../platform/keys/index.ts'
import { addressOfKey, fromHex, type Hex } from '../../../../protocol/index.ts'
import { channelName, type PaymentLedger } from '../../../../receiver/channels/records.ts'
import { beat, join, leave } from '../../../../receiver/cluster/membership.ts'
import { readLedgers, writeLedgers } from '../../../../receiver/cluster/stored-ledgers.ts'
import { openDatabase } from '../../../../receiver/postgres/schema.ts'
import { backupOfDatabase } from '../../../../receiver/server/backup/backup.ts'
import { restoreBackup } from '../../../../receiver/server/backup/restore.ts'
import { balanceProof } from '../../../../scripts/lib/sign.ts'
import { emptyDatabase, sharedPostgres, withPostgres } from '../../../support/postgres.ts'

const onPostgres = withPostgres(test)
const server = sharedPostgres(test)
const signer = createKeySigner(fromHex(`0x${'22'.repeat(32)}`))
const key: Hex = `0x${'11'.repeat(32)}`
const sender = addressOfKey(fromHex(key))
const contract = addressOfKey(fromHex(`0x${'33'.repeat(32)}`))
const chainId = 31337n
const owner = { chainId, contract, account: signer.address }

function at(openBlock: number, balance: bigint): PaymentLedger {
  const form = 'eip712' as const
  const domain = { contract, chainId }
  const proven = { domain, receiver: signer.address, openBlock, balance, key, form }
  const claims = { highest: balance, unclaimed: [{ from: 1n, to: 2n }] }
  return { claims, proof: { signature: balanceProof(proven), form }, agreedToClose: false }
}

const books = (...balances: readonly bigint[]) =>
  new Map(balances.map((balance, block) => [channelName(sender, block), at(block, balance)]))

onPostgres(
  'it is taken while receivers run, and put back when none does: the higher balance stays',
  async (t) => {
    const settings = await emptyDatabase(await server())
    const database = await openDatabase(settings, owner)
    t.teardown(database.close)
    await writeLedgers(database, books(10n, 20n))
    const member = await join(database)
    const text = await backupOfDatabase(settings, signer)
    await writeLedgers(database, books(15n))
    const restore = (state = settings) =>
      restoreBackup({ text, state, contract, receiver: signer.address })
    await beat(database, member)
    await t.throwsAsync(restore(), { code: 'state_in_use' })
    await leave(database, member)
    t.like(await restore(), { restored: 0, kept: 2, balanceSum: 35n })
    const balances = [...(await readLedgers(database)).values()].map(({ claims }) => claims.highest)
    t.deepEqual(balances.sort(), [15n, 20n])

    const lost = await emptyDatabase(await server())
    t.like(await restore(lost), { restored: 2, kept: 0, balanceSum: 30n })
    const again = await openDatabase(lost, owner)
    t.deepEqual(await readLedgers(again), books(10n, 20n))
    // What came after the backup may have been bound.
    t.deepEqual(await again.query(`SELECT value FROM note WHERE name = 'fence'`), [
      { value: 'next' },
    ])
    await again.close()
  },
)

onPostgres('of another receiver’s state no backup is made', async (t) => {
  const settings = await emptyDatabase(await server())
  await (await openDatabase(settings, { ...owner, account: contract })).close()
  await t.throwsAsync(backupOfDatabase(settings, signer), { code: 'state_of_another' })
  await t.throwsAsync(backupOfDatabase(await emptyDatabase(await server()), signer), {
    code: 'state_missing',
  })
})
