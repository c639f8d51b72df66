import test from 'ava'
import { startSystem } from '../support/system.ts'

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
