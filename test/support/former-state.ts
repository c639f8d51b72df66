// State that earlier versions have written, after a power cut: test/fixtures/state/make.ts wrote it.
// On a fresh test chain the same channel is opened again.
import { readdirSync } from 'node:fs'
import { chmod, cp, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ExecutionContext } from 'ava'
import { connectChain, createTransactionSender } from '../../platform/chain/index.ts'
import { createKeySigner } from '../../platform/keys/index.ts'
import { type Address, fromHex, type ShownProof } from '../../protocol/index.ts'
import { deployTestContracts, startEmbeddedChain } from '../lab/chains/embedded-chain.ts'

const fixtures = fileURLToPath(new URL('../fixtures/state/', import.meta.url))

/** Named after the formats of both programs. */
export const formerStates: readonly string[] = readdirSync(fixtures, { withFileTypes: true })
  .filter((each) => each.isDirectory())
  .map(({ name }) => name)
  .sort()

interface Facts {
  readonly contract: Address
  readonly openBlock: number
  readonly deposit: string
  readonly bound: string
  readonly highest: string
  readonly unclaimed: readonly (readonly [string, string])[]
  readonly signature: ShownProof
}

/** The chain is closed when the test ends. */
export async function givenFormerState(t: ExecutionContext, name: string) {
  const facts: Facts = JSON.parse(await readFile(join(fixtures, name, 'facts.json'), 'utf8'))
  const chain = await startEmbeddedChain()
  t.teardown(chain.close)
  const { channelsAddress: contract, token } = await deployTestContracts(chain.wallet(0))
  const [, receiverAccount, senderAccount] = chain.accounts
  if (!receiverAccount || !senderAccount) throw new Error('no accounts')
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
  const copyState = async (program: 'agent' | 'receiver', to: string) => {
    await cp(join(fixtures, name, program), to, { recursive: true })
    await chmod(to, 0o700)
    // Modes are not kept with the fixtures.
    const files = await readdir(to, { recursive: true, withFileTypes: true })
    for (const file of files.filter((each) => each.isFile())) {
      await chmod(join(file.parentPath, file.name), 0o600)
    }
  }
  return { facts, chain, contract, token, signer, receiverAccount, senderAccount, copyState }
}
