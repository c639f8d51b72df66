// What the account owns is taken home, once, and not while there is money in channels.
import { join } from 'node:path'
import test from 'ava'
import { createKeySigner } from '../../platform/keys/index.ts'
import { fromHex, parseAddress } from '../../protocol/index.ts'
import { crashCopy } from '../support/folder.ts'
import { setDataFee } from '../support/op-stack.ts'
import { startSystem } from '../support/system.ts'
import { until } from '../support/until.ts'

const home = parseAddress('0x00000000000000000000000000000000000000A1')

test('with an open channel nothing is sent; when it is closed, tokens and ether go', async (t) => {
  const { base, agent, chain, tokensOf, senderAccount, receiverAccount } = await startSystem(t)
  const buyer = await agent()
  await buyer.get(`${base}/reading`)
  await t.throwsAsync(buyer.sweep(home), { code: 'sweep_channels_open' })
  t.is(await tokensOf(home), 0n)

  const { openBlock = 0 } = buyer.channels()[0] ?? {}
  await buyer.closeChannel(`${receiverAccount.address}/${openBlock}`, base)
  const before = await tokensOf(senderAccount.address)
  const swept = await buyer.sweep(home)

  t.is(swept.tokens, before)
  t.is(await tokensOf(home), before)
  t.is(await tokensOf(senderAccount.address), 0n)
  t.is(await chain.provider.getBalance(home), swept.ether)
  t.is(await chain.provider.getBalance(senderAccount.address), swept.etherLeft)
  t.true(swept.etherLeft < 10n ** 15n, `${swept.etherLeft}`)
})

test('an account with nothing but dust: nothing is sent, and it is no error', async (t) => {
  const { agent, chain } = await startSystem(t)
  const key = '0x00000000000000000000000000000000000000000000000000000000000000b7'
  const signer = createKeySigner(fromHex(key))
  const poor = await agent({ signer })
  t.deepEqual(await poor.sweep(home), { tokens: 0n, ether: 0n, etherLeft: 0n })
  const dust = 21_000n
  await chain.provider.send('hardhat_setBalance', [signer.address, `0x${dust.toString(16)}`])
  t.deepEqual(await poor.sweep(home), { tokens: 0n, ether: 0n, etherLeft: dust })
})

test('tokens without ether for the fee stay, and the error says so', async (t) => {
  const { agent, chain, tokensOf, senderAccount } = await startSystem(t)
  const buyer = await agent()
  await chain.provider.send('hardhat_setBalance', [senderAccount.address, '0x0'])
  await t.throwsAsync(buyer.sweep(home), { code: 'ether_missing' })
  t.is(await tokensOf(senderAccount.address), 10_000n)
})

test('killed after the tokens were sent: the next run goes on from there', async (t) => {
  const { agent, folder, chain, tokensOf, senderAccount } = await startSystem(t)
  const buyer = await agent()
  // No block is made, so the process is killed while it waits for one.
  await chain.provider.send('evm_setAutomine', [false])
  const hanging = t.throwsAsync(buyer.sweep(home))
  const pending = () => chain.provider.send('eth_getBlockByNumber', ['pending', false])
  await until(async () => (await pending()).transactions.length > 0)
  const copy = await crashCopy(join(folder, 'agent'), join(folder, 'after-the-crash'))
  await buyer.stop()
  await hanging
  await chain.provider.send('evm_setAutomine', [true])
  await chain.mine(1)

  const later = await agent({ store: copy })
  const swept = await later.sweep(home)
  t.is(await tokensOf(home), 10_000n)
  t.is(await tokensOf(senderAccount.address), 0n)
  t.true(swept.ether > 0n)
  t.deepEqual(later.unfinished(), [])
})

test('where data costs a fee, ether for it stays', async (t) => {
  const { agent, chain, senderAccount } = await startSystem(t)
  const fee = 10n ** 16n
  await setDataFee(chain, fee)
  const buyer = await agent()
  const swept = await buyer.sweep(home)
  t.true(swept.ether > 0n)
  t.true(swept.etherLeft >= 2n * fee)
  t.is(await chain.provider.getBalance(senderAccount.address), swept.etherLeft)
})
