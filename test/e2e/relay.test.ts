import test from 'ava'
import { depositsFor, depositsWorth } from '../../agent/index.ts'
import { price, startSystem } from '../support/system.ts'

test('a device that never has any ether buys, tops up and pays on', async (t) => {
  const { base, agent, chain, senderAccount } = await startSystem(t, undefined, { relay: {} })
  await chain.provider.send('hardhat_setBalance', [senderAccount.address, '0x0'])
  const changes: string[] = []
  const buyer = await agent({ onChannelChange: (_, { kind }) => changes.push(kind) })
  for (let i = 0; i < 12; i++) {
    t.is((await buyer.get(`${base}/reading`)).status, 200)
  }
  t.deepEqual(changes, ['opened', 'toppedUp'])
  t.is(await chain.provider.getTransactionCount(senderAccount.address), 0)
})

test('a deposit is no larger for its fee where the receiver pays that', async (t) => {
  const { base, agent, chain, senderAccount } = await startSystem(t, undefined, { relay: {} })
  await chain.provider.send('hardhat_setBalance', [senderAccount.address, '0x0'])
  const fees = depositsWorth({ feeShare: 100n, etherPrice: 1_000_000n })
  const buyer = await agent({ deposit: { ...depositsFor(0), ...fees } })
  await buyer.get(`${base}/reading`)
  t.is(buyer.channels()[0]?.deposit, 10n * price)
})

test('a device without ether opens, tops up and closes by hand through its receiver', async (t) => {
  const { base, agent, chain, senderAccount, receiverAccount, tokensOf } = await startSystem(
    t,
    undefined,
    { relay: {} },
  )
  await chain.provider.send('hardhat_setBalance', [senderAccount.address, '0x0'])
  const before = await tokensOf(senderAccount.address)
  const buyer = await agent({})
  const to = receiverAccount.address
  await t.throwsAsync(buyer.openChannel(to, 20n), { code: 'ether_missing' })
  const name = await buyer.openChannel(to, 20n, base)
  await buyer.topUp(name, 7n, `${base}/reading`)
  t.is(buyer.channels()[0]?.deposit, 27n)
  t.is((await buyer.get(`${base}/reading`)).status, 200)
  await buyer.closeChannel(name, base)
  t.like(buyer.channels()[0], { state: 'closed', balance: 5n })
  t.is(before - (await tokensOf(senderAccount.address)), 5n)
  t.is(await chain.provider.getTransactionCount(senderAccount.address), 0)
})
