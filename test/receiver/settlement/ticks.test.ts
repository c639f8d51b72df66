// What was paid with ticks is got from the contract: withdrawn, closed, defended, by the receiver and by its watchtower.
import anyTest, { type ExecutionContext } from 'ava'
import { Interface } from 'ethers'
import { channelsAbi } from '../../../contracts/abi/channels.ts'
import { isTickForm, isTickProof, type ShownProof } from '../../../protocol/index.ts'
import type { Receiver } from '../../../receiver/index.ts'
import { backupOf } from '../../../receiver/server/backup/backup.ts'
import { restoreBackup } from '../../../receiver/server/backup/restore.ts'
import { boundClient, fieldOf } from '../../support/bound-client.ts'
import { readChain } from '../../support/chain-read.ts'
import { challengePeriod, givenCheater } from '../../support/cheating.ts'
import { temporaryFolder } from '../../support/folder.ts'
import { commitTicks, type Ticks } from '../../support/ticks.ts'
import { until } from '../../support/until.ts'
import { startTower, token } from '../../support/watchtower.ts'

// One chain at a time: they share a process.
const test = anyTest.serial

async function given(t: ExecutionContext) {
  const system = await givenCheater(t)
  const { channel, domain, senderAccount } = system
  const commit = (options?: Parameters<typeof commitTicks>[2], openBlock = channel.openBlock) =>
    commitTicks({ ...channel, openBlock }, { domain, key: senderAccount.privateKey }, options)
  /** Up to this tick, all at once, as a bound request would. */
  const pay = async (
    ticks: Ticks,
    index: number,
    { openBlock = channel.openBlock, receiver = system.receiver } = {},
  ) => {
    const balance = ticks.balance(index)
    const amount = balance - receiver.book.ledger(channel.sender, openBlock).claims.highest
    const payment = { sender: channel.sender, openBlock, balance, amount, bound: true as const }
    const outcome = await receiver.manager.registerPayment(
      { ...payment, ...ticks.first(index) },
      amount,
    )
    t.is(outcome.kind, 'paid')
  }
  const isRead = (openBlock: number, receiver: Receiver = system.receiver) =>
    until(() => receiver.book.get(channel.sender, openBlock) !== undefined)
  const open = async (deposit: bigint) => {
    const openBlock = await system.openAnother(deposit)
    await isRead(openBlock)
    return openBlock
  }
  const got = () => system.tokensOf(system.receiverAccount.address)
  return { ...system, commit, payTick: pay, open, isRead, got }
}

test('a life on ticks: bought over HTTP, withdrawn, bought again, closed', async (t) => {
  const system = await given(t)
  const { base, commit, receiver, got, isOver, client, channel } = system
  const hand = await boundClient(base, system)
  t.is((await hand.putKey()).status, 200)
  const buy = async (balance: bigint, proof?: ReturnType<Ticks['proof']>) => {
    const answer = await hand.ask('/reading', { balance, ...(proof && { proof }) })
    t.deepEqual([answer.status, answer.authentic], [200, true], answer.body.toString())
  }
  const ticks = commit({ ticks: 8 })
  await buy(5n, ticks.first(1))
  await buy(10n, ticks.proof(2))
  await buy(15n, ticks.proof(3))
  const { sum, done } = await receiver.settlement.withdrawAll()
  t.deepEqual([sum, done.length, await got()], [15n, 1, 15n])
  await readChain(receiver)
  await buy(20n, ticks.proof(4))
  await buy(25n)
  await buy(30n, ticks.proof(6))
  await buy(40n, ticks.proof(8))
  await buy(35n, undefined)
  const next = commit({ base: 40n, last: `0x${'0e'.repeat(32)}` })
  await buy(45n, next.first(1))
  const shown = fieldOf(await hand.putKey(), 'rdn-balance-signature') as ShownProof
  t.true(isTickForm(shown) && isTickProof(system.domain, channel, { balance: 45n, proof: shown }))
  t.is((await receiver.settlement.closeAll()).sum, 30n)
  t.deepEqual([await got(), await isOver()], [45n, true])
  t.is(await client.channelInfo(channel), undefined)
})

test('one transaction for signatures and ticks beside each other, to withdraw and to close', async (t) => {
  const system = await given(t)
  const { receiver, channel, commit, payTick, open, got, sign, sent, chain } = system
  const blocks = [await open(100n), await open(1000n), await open(100n)] as const
  const [plain, long, root] = blocks
  const payPlain = (balance: bigint) =>
    receiver.manager.registerPayment(
      {
        ...{ sender: channel.sender, openBlock: plain, balance },
        signature: sign(balance, undefined, undefined, plain),
      },
      balance - receiver.book.ledger(channel.sender, plain).claims.highest,
    )
  const longTicks = commit({ step: 1n, ticks: 256 }, long)
  await payPlain(7n)
  await payTick(longTicks, 200, { openBlock: long })
  await payTick(commit({ base: 11n }, root), 0, { openBlock: root })
  const withdrawn = await receiver.settlement.withdrawAll()
  t.deepEqual([withdrawn.sum, withdrawn.done.length, await got()], [218n, 1, 218n])
  await readChain(receiver)
  await payPlain(8n)
  await payTick(longTicks, 256, { openBlock: long })
  await payTick(commit({ base: 20n }, root), 2, { openBlock: root })
  const closed = await receiver.settlement.closeAll()
  t.deepEqual([closed.sum, closed.done.length, await got()], [76n, 1, 294n])
  t.is(await sent(), 2)
  const { data } = (await chain.provider.getTransaction(closed.done[0]?.transaction ?? '')) ?? {}
  t.is(
    new Interface(channelsAbi).getFunction(data?.slice(0, 10) ?? '')?.name,
    'cooperativeCloseBatch',
  )
})

for (const index of [0, 1, 256]) {
  test(`a dishonest close is answered with tick ${index}`, async (t) => {
    const system = await given(t)
    const { commit, payTick, open, infoOf, requestClose, got } = system
    const openBlock = await open(1000n)
    await payTick(commit({ base: 100n, step: 3n, ticks: 256 }, openBlock), index, { openBlock })
    await requestClose(99n, openBlock)
    await until(async () => (await infoOf(openBlock)) === undefined)
    t.is(await got(), 100n + 3n * BigInt(index))
  })
}

test('the receiver is off: its watchtower challenges with the higher of a tick and a signature', async (t) => {
  const system = await given(t)
  const { chain, contract, receiverAccount, folder, channel, commit, client } = system
  const guarded = { chain, contract, receiver: receiverAccount.address, folder }
  const { tower, url, push, sent } = await startTower(t, guarded)
  await system.stopped()
  const receiver = await system.startAgain({ watchtowers: [{ url, token, interval: 10 }] })
  await receiver.synced
  const kept = () => tower.balance(channel.sender, channel.openBlock)
  const ticks = commit({ ticks: 8 })
  await system.payTick(ticks, 2, { receiver })
  await until(() => kept() === 10n)
  const plain = { ...channel, balance: 12n, signature: system.sign(12n), bound: true as const }
  t.is((await receiver.manager.registerPayment(plain, 2n)).kind, 'paid')
  await until(() => kept() === 12n)
  await system.payTick(ticks, 4, { receiver })
  await until(() => kept() === 20n)
  await receiver.stop()
  const proof = `0x${'00'.repeat(160)}`
  const pushed = await push({
    ...{ chain_id: `${chain.chainId}`, contract, receiver: channel.receiver },
    proofs: [
      { sender: channel.sender, open_block: channel.openBlock, balance: '25', signature: proof },
    ],
  })
  t.deepEqual([pushed.status, await pushed.json()], [200, { verdicts: ['invalid'] }])
  await system.requestClose(12n)
  await chain.mine(challengePeriod / 2)
  await until(async () => (await client.channelInfo(channel))?.closingBalance === 20n)
  t.is(await sent(), 1)
  t.regex(await tower.backup(), new RegExp(ticks.word(4).slice(2)))
})

test('a backup has the tick; restored, the next one pays without its commitment', async (t) => {
  const system = await given(t)
  const { receiver, channel, commit, payTick, contract } = system
  const ticks = commit()
  await payTick(ticks, 2)
  const backup = await backupOf(receiver)
  t.regex(backup, /"version":3/)
  await system.stopped()
  const state = `${await temporaryFolder(t)}/state`
  await restoreBackup({ text: backup, state, contract, receiver: receiver.address })
  const again = await system.startAgain({ state })
  await again.synced
  await system.isRead(channel.openBlock, again)
  const payment = { ...channel, balance: 15n, amount: 5n, bound: true as const }
  t.is((await again.manager.registerPayment({ ...payment, ...ticks.proof(3) }, 5n)).kind, 'paid')
  t.is((await again.settlement.withdrawAll()).sum, 15n)
  const forged = backup.replace(ticks.word(2).slice(2), ticks.word(3).slice(2))
  const options = { state, contract, receiver: receiver.address }
  await again.stop()
  await t.throwsAsync(restoreBackup({ text: forged, ...options }), { code: 'backup_damaged' })
})
