import { join } from 'node:path'
import test from 'ava'
import { createKeySigner } from '../../../platform/keys/index.ts'
import { fromHex } from '../../../protocol/index.ts'
import { type ReceiverOptions, startReceiver } from '../../../receiver/index.ts'
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
