// The contract's first block, on a chain that has its old states.
import test from 'ava'
import { connectChain, deploymentBlock } from '../../../platform/chain/index.ts'
import { deployTestContracts, startEmbeddedChain } from '../../lab/chains/embedded-chain.ts'

test('is found among many, exactly', async (t) => {
  const chain = await startEmbeddedChain()
  t.teardown(chain.close)
  await chain.mine(30_000)
  const { channelsAddress: contract } = await deployTestContracts(chain.wallet(0))
  const deployed = await chain.provider.getBlockNumber()
  await chain.mine(30_000)
  const client = await connectChain({ rpcUrl: chain.rpcUrl, contract })
  t.teardown(client.close)
  t.is(await deploymentBlock(client), deployed)
})
