// The contract's first block, on a chain that has its old states.
import test from 'ava'
import { connectChain, deploymentBlock } from '../../../platform/chain/index.ts'
import { deployTestContracts, startEmbeddedChain } from '../../lab/chains/embedded-chain.ts'

test('is found among many, exactly; a node that knows no code where there was some is not believed', async (t) => {
  const chain = await startEmbeddedChain()
  t.teardown(chain.close)
  await chain.mine(50_001)
  const { channelsAddress: contract } = await deployTestContracts(chain.wallet(0))
  const deployed = await chain.provider.getBlockNumber()
  await chain.mine(1)
  const client = await connectChain({ rpcUrl: chain.rpcUrl, contract })
  t.teardown(client.close)
  t.is(await deploymentBlock(client), deployed)
  // What is between the ends of so many blocks at once has no state here.
  await chain.mine(300_000)
  t.is(await deploymentBlock(client), undefined)
})
