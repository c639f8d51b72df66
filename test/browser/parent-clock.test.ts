// The browser client on a chain of the kind of Arbitrum: contracts count with the blocks of the chain below.
import test, { type ExecutionContext } from 'ava'
import { blockTime } from '../../browser/block-time.ts'
import { createBrowserClient } from '../../browser/index.ts'
import { memoryKeyStore } from '../../browser/key-store.ts'
import { startParentClockChain } from '../lab/chains/parent-clock-chain.ts'
import { mapStore } from '../support/map-store.ts'
import { price, startSystemOn } from '../support/system.ts'
import { until } from '../support/until.ts'
import { createTestWallet, type TestWallet } from '../support/wallet.ts'

async function given(t: ExecutionContext, change: (wallet: TestWallet) => TestWallet = (it) => it) {
  const system = await startSystemOn(t, await startParentClockChain())
  const { chain, contract, base, receiverAccount, senderAccount } = system
  const made = createTestWallet(chain.rpcUrl, senderAccount.privateKey)
  t.teardown(made.close)
  const wallet = change(made)
  const client = await createBrowserClient({
    ...{ wallet, contract, account: senderAccount.address, receiver: receiverAccount.address },
    ...{ api: `${base}/api/1`, storage: mapStore(), keys: memoryKeyStore(), interval: 20 },
  })
  const buy = () => client.pay(`${base}/reading`, { price, idempotency: true })
  const asked = (method: string) => made.calls.filter((call) => call.method === method).length
  return { ...system, client, buy, asked, wallet }
}

test('opens, pays, tops up, is found again, and closes with the receiver', async (t) => {
  const { client, buy, chain, tokensOf, receiverAccount } = await given(t)
  const { openBlock } = await client.openChannel(8n)
  t.is(openBlock, await chain.provider.getBlockNumber())
  await buy()
  await client.topUp(12n)
  await buy()
  t.like(await client.channel(), { openBlock, balance: 10n, facts: { deposit: 20n } })
  client.forgetChannel()
  t.is((await client.findChannel(0))?.openBlock, openBlock)
  await buy()
  await client.closeChannel()
  t.is(await tokensOf(receiverAccount.address), 15n)
  t.is(await client.channel(), undefined)
})

test('a node whose receipts say nothing of the chain below is asked for the block', async (t) => {
  const { client, chain } = await given(t, (wallet) => ({
    ...wallet,
    request: async (asked) => {
      const answer = await wallet.request(asked)
      if (asked.method !== 'eth_getTransactionReceipt' || answer === null) return answer
      return { ...(answer as object), l1BlockNumber: undefined }
    },
  }))
  t.is((await client.openChannel(8n)).openBlock, await chain.provider.getBlockNumber())
})

test('a close waits for the next block below, and settles when the period is over there', async (t) => {
  const { client, chain, tokensOf, senderAccount, asked, wallet } = await given(t)
  await client.openChannel(8n)
  const tries = asked('eth_call')
  const closing = client.requestClose()
  await until(() => asked('eth_call') > tries + 2)
  t.is(asked('eth_sendTransaction'), 1, 'the opening only')
  await chain.mine(1)
  await closing
  const view = await client.channel()
  t.is(view?.facts?.settleBlock, (await client.contractHead()) + 500)
  await t.throwsAsync(client.settle(), { code: 'would_revert', message: /ChallengePeriodNotOver/ })
  t.is(await blockTime(wallet, client), undefined, 'a chain too young to say')
  await chain.provider.send('hardhat_mine', ['0x2711', '0xc'])
  t.is(Math.round((await blockTime(wallet, client)) ?? 0), 12, 'of the chain below')
  await client.settle()
  t.is(await tokensOf(senderAccount.address), 10_000n)
})

test('a chain whose contracts see neither number is refused', async (t) => {
  const chain = await startParentClockChain({ wrongBy: 1 })
  t.teardown(chain.close)
  await t.throwsAsync(startSystemOn(t, chain), { code: 'chain_unsupported' })
})
