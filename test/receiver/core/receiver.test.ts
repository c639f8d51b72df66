import { join } from 'node:path'
import test from 'ava'
import { createKeySigner } from '../../../platform/keys/index.ts'
import { fromHex } from '../../../protocol/index.ts'
import { type ReceiverOptions, startReceiver } from '../../../receiver/index.ts'
import { stats } from '../../../receiver/server/api/stats.ts'
import { deployTestContracts, startEmbeddedChain } from '../../lab/chains/embedded-chain.ts'
import { temporaryFolder } from '../../support/folder.ts'
import { startSystem } from '../../support/system.ts'

test('a start that fails half way leaves nothing behind: the next one opens the same state', async (t) => {
  const { chain, contract, folder, receiverAccount } = await startSystem(t)
  const options = {
    signer: createKeySigner(fromHex(receiverAccount.privateKey)),
    rpcUrl: chain.rpcUrl,
    contract,
    state: join(folder, 'second'),
  }
  const verifier = 'none' as NonNullable<ReceiverOptions['verifier']>
  await t.throwsAsync(startReceiver({ ...options, verifier }), { code: 'no_verifier' })
  const receiver = await startReceiver(options)
  await receiver.synced
  await t.notThrowsAsync(receiver.stop())
})

test('a receiver that restarts still says in which block the contract was deployed', async (t) => {
  const chain = await startEmbeddedChain()
  t.teardown(chain.close)
  await chain.mine(50_001)
  const { channelsAddress: contract } = await deployTestContracts(chain.wallet(0))
  const deployed = await chain.provider.getBlockNumber()
  await chain.mine(1)
  const options = {
    signer: createKeySigner(fromHex(chain.wallet(1).privateKey)),
    rpcUrl: chain.rpcUrl,
    contract,
    state: await temporaryFolder(t),
  }
  for (const start of ['first', 'second']) {
    const receiver = await startReceiver(options)
    await receiver.synced
    t.is(stats(receiver).sync_block, deployed, start)
    await receiver.stop()
    // From now on the node cannot say it any more.
    if (start === 'first') await chain.mine(300_000)
  }
})
