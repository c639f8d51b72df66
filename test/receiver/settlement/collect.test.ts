// The receiver takes out what it has proofs for, and closes channels from its own side.
import anyTest from 'ava'
import { AbiCoder, Interface } from 'ethers'
import { channelsAbi } from '../../../contracts/abi/channels.ts'
import { withdrawGas } from '../../../receiver/settlement/policy.ts'
import { readChain } from '../../support/chain-read.ts'
import { givenCheater } from '../../support/cheating.ts'
import { startFaultyRpc } from '../../support/faulty-rpc.ts'
import { crashCopy } from '../../support/folder.ts'
import { until } from '../../support/until.ts'

// One chain at a time: they share a process.
const test = anyTest.serial

type Given = Awaited<ReturnType<typeof givenCheater>>

/** More channels of the same sender, each with a proof. Resolves with their open blocks. */
async function paidChannels(given: Given, balances: readonly bigint[]): Promise<readonly number[]> {
  const { receiver, channel, openAnother, sign } = given
  const blocks: number[] = []
  for (const highest of balances) {
    const block = await openAnother()
    await until(() => receiver.book.get(channel.sender, block) !== undefined)
    const payment = {
      sender: channel.sender,
      openBlock: block,
      balance: highest,
      signature: sign(highest, undefined, undefined, block),
    }
    await receiver.manager.registerPayment(payment, highest)
    blocks.push(block)
  }
  return blocks
}

test('a dry run says what would be withdrawn and sends nothing; then one transaction does it', async (t) => {
  const given = await givenCheater(t)
  const { receiver, receiverAccount, tokensOf, sent, pay } = given
  await paidChannels(given, [7n, 9n, 11n])
  await openNothing(given)
  const dry = await receiver.settlement.withdrawAll({ dryRun: true })
  t.is(dry.plan.sum, 27n)
  t.is(dry.plan.batches.flat().length, 3)
  t.deepEqual(dry.done, [])
  t.is(await sent(), 0)
  const { plan, done, sum } = await receiver.settlement.withdrawAll()
  t.deepEqual([plan.sum, sum, done.length], [27n, 27n, 1])
  t.is(await tokensOf(receiverAccount.address), 27n)
  t.is(await sent(), 1)
  const gas = done.reduce((total, { gasUsed }) => total + gasUsed, 0n)
  const { perTransaction, perChannel } = withdrawGas
  // Cold slots of a token balance that was zero cost more, once: 17 100 (EIP-2929).
  t.true(gas <= perTransaction + 3n * perChannel + 17_100n + 3n * 17_100n, `${gas} gas`)
  // The channels stay open, and what was taken is owed no more.
  await until(() => receiver.settlement.status().uncollected === 0n)
  t.is((await pay(5n)).status, 200)
  t.is(receiver.settlement.status().uncollected, 5n)
  const single = await receiver.settlement.withdrawAll()
  t.is(single.sum, 5n)
  const last = await given.chain.provider.getTransaction(single.done[0]?.transaction ?? '')
  t.is(fragmentOf(last?.data ?? ''), 'withdrawBatch')
})

/** The contract's function that a transaction called. */
function fragmentOf(data: string): string | undefined {
  return new Interface(channelsAbi).getFunction(data.slice(0, 10))?.name
}

/** A channel without a payment has nothing to give. */
async function openNothing({ openAnother, receiver, channel }: Given): Promise<void> {
  const block = await openAnother()
  await until(() => receiver.book.get(channel.sender, block) !== undefined)
}

test('closing all ends what owes something, and takes no payment meanwhile', async (t) => {
  const given = await givenCheater(t)
  const { receiver, receiverAccount, channel, tokensOf, sent, pay, infoOf } = given
  await pay(5n)
  const blocks = await paidChannels(given, [7n, 9n])
  const dry = await receiver.settlement.closeAll({ dryRun: true })
  t.is(dry.plan.sum, 21n)
  t.is(await sent(), 0)
  t.is((await pay(10n)).status, 200)
  const closing = receiver.settlement.closeAll()
  await t.throwsAsync(receiver.settlement.withdrawAll(), { code: 'collection_running' })
  const { sum, done } = await closing
  t.is(sum, 26n)
  t.is(done.length, 1)
  t.is(await tokensOf(receiverAccount.address), 26n)
  for (const block of [...blocks, channel.openBlock]) t.is(await infoOf(block), undefined)
  t.is((await pay(15n)).status, 402)
  await until(() => receiver.settlement.status().uncollected === 0n)
  t.is(receiver.settlement.status().lost, 0n)
})

test('a payment that comes while a close is prepared is in it, or is refused: never lost', async (t) => {
  const given = await givenCheater(t)
  const { receiver, receiverAccount, tokensOf, pay } = given
  await pay(5n)
  const balances = [10n, 15n, 20n]
  const [closed, ...answers] = await Promise.all([
    receiver.settlement.closeAll(),
    ...balances.map((balance) => pay(balance, { 'RDN-Payment': '5' })),
  ])
  const served = balances.filter((_, index) => answers[index]?.status === 200)
  t.is(closed.sum, served.at(-1) ?? 5n)
  t.is(await tokensOf(receiverAccount.address), closed.sum)
})

test('a close that could not be sent leaves the channel open for payments', async (t) => {
  const given = await givenCheater(t)
  const { receiver, pay, sent, channel } = given
  await pay(5n)
  const policy = { least: 1n, mostGasPrice: 1n }
  t.is((await receiver.settlement.closeAll({ policy })).done.length, 0)
  await given.setEther(1n)
  await t.throwsAsync(receiver.settlement.closeAll(), { code: 'ether_missing' })
  await t.throwsAsync(receiver.settlement.closeChannel(channel.sender, channel.openBlock), {
    code: 'ether_missing',
  })
  t.is(await sent(), 0)
  await given.setEther(10n ** 18n)
  await readChain(receiver)
  t.is((await pay(10n)).status, 200)
})

test('one channel is closed by its name; unknown and unpaid ones are told apart', async (t) => {
  const given = await givenCheater(t)
  const { receiver, channel, tokensOf, receiverAccount } = given
  const { closeChannel } = receiver.settlement
  await t.throwsAsync(closeChannel(channel.sender, 1), { code: 'channel_unknown' })
  await t.throwsAsync(closeChannel(channel.sender, channel.openBlock), { code: 'never_paid' })
  await given.pay(5n)
  const { channels, transaction } = await closeChannel(channel.sender, channel.openBlock)
  const data = (await given.chain.provider.getTransaction(transaction))?.data ?? ''
  t.is(fragmentOf(data), 'cooperativeCloseBatch')
  t.is(data.length, 2 + 2 * 196)
  t.deepEqual(channels, [{ sender: channel.sender, openBlock: channel.openBlock, amount: 5n }])
  t.is(await tokensOf(receiverAccount.address), 5n)
})

test('it withdraws by itself as soon as the least sum is owed, and not before', async (t) => {
  const given = await givenCheater(t, { settlement: { withdraw: { least: 10n } } })
  const { receiver, pay, tokensOf, receiverAccount, sent } = given
  await pay(5n)
  await readChain(receiver)
  t.is(await sent(), 0)
  await pay(10n)
  await until(async () => (await tokensOf(receiverAccount.address)) === 10n)
  await until(() => receiver.settlement.status().uncollected === 0n)
  await pay(15n)
  await readChain(receiver)
  t.is(await sent(), 1)
})

test('killed in the middle of a withdrawal: the next one finds it, and pays no fee twice', async (t) => {
  const given = await givenCheater(t)
  const { pay, folder, chain, startAgain, receiverAccount, tokensOf, sent } = given
  await pay(5n)
  await given.stopped()
  let left = false
  const node = await startFaultyRpc(t, chain.rpcUrl, ({ method }) => {
    if (method === 'eth_sendRawTransaction') {
      left = true
      return 'loseAnswer'
    }
    return left && /Receipt|ByHash/.test(method) ? 'loseRequest' : undefined
  })
  const first = await startAgain({ rpcUrl: node.url })
  await first.synced
  first.settlement.withdrawAll().catch(() => undefined)
  await until(async () => (await sent()) === 1)
  const state = await crashCopy(`${folder}/receiver`, `${folder}/after-the-kill`)
  const again = await startAgain({ state, pollInterval: 3_600_000 })
  await again.synced
  await again.settlement.withdrawAll()
  t.is(await sent(), 1)
  t.is(await tokensOf(receiverAccount.address), 5n)
  t.is((await again.settlement.withdrawAll()).sum, 0n)
  t.is(await sent(), 1)
})

test('a contract of version 0.2 has no batches: each channel by itself, with an agreement of ours', async (t) => {
  const given = await givenCheater(t)
  const { chain, startAgain, sign, channel, openAnother, tokensOf, receiverAccount, infoOf } = given
  const version = AbiCoder.defaultAbiCoder().encode(['string'], ['0.2.0'])
  const node = await startFaultyRpc(t, chain.rpcUrl, ({ method, params }) => {
    const { data } = (params[0] ?? {}) as { readonly data?: string }
    const asksVersion = method === 'eth_call' && data?.startsWith('0x54fd4d50')
    return asksVersion ? { answer: version } : undefined
  })
  await given.stopped()
  const old = await startAgain({ rpcUrl: node.url })
  await old.synced
  const other = await openAnother()
  await until(() => old.book.get(channel.sender, other) !== undefined)
  for (const [openBlock, balance] of [
    [channel.openBlock, 5n],
    [other, 7n],
  ] as const) {
    const signature = sign(balance, undefined, 'seed', openBlock)
    await old.manager.registerPayment({ ...channel, openBlock, balance, signature }, balance)
  }
  const withdrawn = await old.settlement.withdrawAll()
  t.deepEqual([withdrawn.sum, withdrawn.done.length], [12n, 2])
  await until(() => old.settlement.status().uncollected === 0n)
  const signature = sign(9n, undefined, 'seed', other)
  await old.manager.registerPayment({ ...channel, openBlock: other, balance: 9n, signature }, 2n)
  // Asked to close for less: answered with proof and agreement.
  await given.requestClose(7n, other)
  await until(async () => (await infoOf(other)) === undefined)
  t.is(await tokensOf(receiverAccount.address), 14n)
})
