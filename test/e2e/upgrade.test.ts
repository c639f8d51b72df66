// State that earlier versions have written, after a power cut: every later version opens it and goes on.
// test/fixtures/state/make.ts wrote it; on a fresh test chain the same channel is opened again.

import { readdirSync } from 'node:fs'
import { chmod, cp, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { createAgent } from '../../agent/index.ts'
import { connectChain, createTransactionSender } from '../../platform/chain/index.ts'
import { createKeySigner } from '../../platform/keys/index.ts'
import { type Address, fromHex } from '../../protocol/index.ts'
import { createReceiverServer, startReceiver } from '../../receiver/index.ts'
import { deployTestContracts, startEmbeddedChain } from '../../scripts/lib/embedded-chain.ts'
import { temporaryFolder } from '../support/folder.ts'
import { reading } from '../support/system.ts'

const fixtures = fileURLToPath(new URL('../fixtures/state/', import.meta.url))
const formats = readdirSync(fixtures, { withFileTypes: true }).filter((each) => each.isDirectory())

interface Facts {
  readonly contract: Address
  readonly openBlock: number
  readonly deposit: string
  readonly bound: string
  readonly highest: string
  readonly unclaimed: readonly (readonly [string, string])[]
  readonly signature: string
}

test('there is state of every format that was ever written', (t) => {
  t.deepEqual(formats.map(({ name }) => name).sort(), ['agent-2-receiver-2', 'agent-2-receiver-3'])
})

for (const { name } of formats) {
  test(`${name}: opened, nothing of it lost, and paid on to the close`, async (t) => {
    const facts: Facts = JSON.parse(await readFile(join(fixtures, name, 'facts.json'), 'utf8'))
    const folder = await temporaryFolder(t)
    for (const program of ['agent', 'receiver']) {
      await cp(join(fixtures, name, program), join(folder, program), { recursive: true })
      await chmod(join(folder, program), 0o700)
    }
    const chain = await startEmbeddedChain()
    t.teardown(chain.close)
    const { channelsAddress: contract, token } = await deployTestContracts(chain.wallet(0))
    const [, receiverAccount, senderAccount] = chain.accounts
    if (!receiverAccount || !senderAccount) return t.fail('no accounts')
    const give = token.getFunction('transfer(address,uint256)')
    await (await give(senderAccount.address, 10_000n)).wait()
    const signer = createKeySigner(fromHex(senderAccount.privateKey))
    const client = await connectChain({ rpcUrl: chain.rpcUrl, contract })
    t.teardown(() => client.close())
    const transactions = createTransactionSender({ chain: client, signer, pollInterval: 10 })
    const { token: tokenAddress } = await client.contractFacts()
    const parties = { sender: signer.address, receiver: receiverAccount.address }
    const deposit = BigInt(facts.deposit)
    const opened = await transactions.send(
      client.calls.openErc223(tokenAddress, { ...parties, deposit }),
    )
    t.is(contract, facts.contract)
    t.is(opened.block, facts.openBlock)

    const receiver = await startReceiver({
      signer: createKeySigner(fromHex(receiverAccount.privateKey)),
      rpcUrl: chain.rpcUrl,
      contract,
      state: join(folder, 'receiver'),
      pollInterval: 20,
    })
    t.teardown(() => receiver.stop())
    t.like(receiver.book.ledger(signer.address, facts.openBlock), {
      claims: {
        highest: BigInt(facts.highest),
        unclaimed: facts.unclaimed.map(([from, to]) => ({ from: BigInt(from), to: BigInt(to) })),
      },
      proof: { signature: facts.signature },
    })
    // Another chain with the same channel: its blocks have other hashes, so all of it is read again.
    await receiver.refresh()
    await receiver.refresh()
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
