// What earlier versions have written, every later version opens and goes on with.
import { join } from 'node:path'
import test from 'ava'
import { createAgent } from '../../agent/index.ts'
import { createKeySigner } from '../../platform/keys/index.ts'
import { fromHex } from '../../protocol/index.ts'
import { shownProof } from '../../receiver/channels/proofs.ts'
import { createReceiverServer, startReceiver } from '../../receiver/index.ts'
import { readChain } from '../support/chain-read.ts'
import { temporaryFolder } from '../support/folder.ts'
import { formerStates, givenFormerState } from '../support/former-state.ts'
import { reading } from '../support/system.ts'

test('there is state of every format that was ever written', (t) => {
  t.deepEqual(formerStates, ['agent-2-receiver-2', 'agent-2-receiver-3', 'agent-2-receiver-4'])
})

for (const name of formerStates) {
  test(`${name}: opened, nothing of it lost, and paid on to the close`, async (t) => {
    const former = await givenFormerState(t, name)
    const { facts, chain, contract, token, signer, receiverAccount } = former
    const deposit = BigInt(facts.deposit)
    const folder = await temporaryFolder(t)
    for (const program of ['agent', 'receiver'] as const) {
      await former.copyState(program, join(folder, program))
    }
    const receiver = await startReceiver({
      signer: createKeySigner(fromHex(receiverAccount.privateKey)),
      rpcUrl: chain.rpcUrl,
      contract,
      state: join(folder, 'receiver'),
      pollInterval: 20,
      confirmations: 1,
    })
    t.teardown(() => receiver.stop())
    const { claims, proof } = receiver.book.ledger(signer.address, facts.openBlock)
    t.deepEqual(claims, {
      highest: BigInt(facts.highest),
      unclaimed: facts.unclaimed.map(([from, to]) => ({ from: BigInt(from), to: BigInt(to) })),
    })
    t.deepEqual<string | undefined, string>(proof && shownProof(proof), facts.signature)
    // Another chain with the same channel: its blocks have other hashes, so all of it is read again.
    await readChain(receiver)
    t.like(receiver.book.get(signer.address, facts.openBlock), { deposit, state: 'open' })
    const server = await createReceiverServer(receiver, [reading()])
    t.teardown(() => server.close())
    const base = await server.listen({ host: '127.0.0.1', port: 0 })

    const agent = await createAgent({
      signer,
      rpcUrl: chain.rpcUrl,
      chainId: chain.chainId,
      contract,
      store: join(folder, 'agent'),
      retryInterval: 20,
      budget: { total: 1000n, hour: 500n },
    })
    t.teardown(() => agent.stop())
    t.like(agent.channels()[0], {
      openBlock: facts.openBlock,
      deposit,
      bound: BigInt(facts.bound),
      certain: false,
    })
    t.is(agent.budget().reserved, BigInt(facts.bound))
    for (let index = 0; index < 3; index++) t.is((await agent.get(`${base}/reading`)).status, 200)
    await agent.closeChannel(`${receiverAccount.address}/${facts.openBlock}`, base)
    const got: bigint = await token.getFunction('balanceOf')(receiverAccount.address)
    t.is(got, receiver.book.ledger(signer.address, facts.openBlock).claims.highest)
    t.true(got >= BigInt(facts.highest))
  })
}
