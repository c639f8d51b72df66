import test from 'ava'
import { Wallet } from 'ethers'
import { startFaultyRpc } from '../support/faulty-rpc.ts'
import { startEmbeddedChain } from './chains/embedded-chain.ts'
import { LabProvider } from './chains/lab-provider.ts'
import { testAccount } from './chains/test-accounts.ts'

test('a receipt that comes after the last block is waited for', async (t) => {
  const chain = await startEmbeddedChain()
  t.teardown(chain.close)
  let late = 0
  const node = await startFaultyRpc(t, chain.rpcUrl, ({ method }) =>
    method === 'eth_getTransactionReceipt' && late-- > 0 ? { answer: null } : undefined,
  )
  const provider = new LabProvider({ rpcUrl: node.url, chainId: chain.chainId, pollingInterval: 1 })
  t.teardown(() => provider.destroy())
  const wallet = new Wallet(testAccount(0).privateKey, provider)
  const send = () => wallet.sendTransaction({ to: wallet.address })
  for (const wait of [
    async () => (await send()).wait(),
    async () => provider.waitForTransaction((await send()).hash),
  ]) {
    late = 5
    t.is((await wait())?.status, 1)
    t.true(late < 0)
  }
})
