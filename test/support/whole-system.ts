// A system on any chain, with hands of its own on the chain and a receiver that can be restarted.
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import type { Agent } from '../../agent/index.ts'
import { connectChain, createTransactionSender } from '../../platform/chain/index.ts'
import { createKeySigner } from '../../platform/keys/index.ts'
import { type ChannelId, fromHex } from '../../protocol/index.ts'
import { shownProof } from '../../receiver/channels/proofs.ts'
import {
  createReceiverServer,
  type Receiver,
  type ReceiverOptions,
  startReceiver,
} from '../../receiver/index.ts'
import type { FundedAccount } from '../lab/chains/test-accounts.ts'
import type { TestChain } from '../lab/chains/test-chain.ts'
import { reading, startSystemOn } from './system.ts'
import { patience } from './until.ts'

/** `chain` closes when the test ends. What `receiverOptions` says holds after a restart too. */
export async function startWholeSystem<Chain extends TestChain>(
  t: ExecutionContext,
  chain: Chain,
  receiverOptions: Partial<ReceiverOptions> = {},
) {
  const system = await startSystemOn(t, chain, [reading()], receiverOptions)
  const { base, contract, folder, receiverAccount, senderAccount, server } = system
  let receiver: Receiver = system.receiver

  /** A connection and the transactions of one account, past agent and receiver. */
  const as = async ({ privateKey }: FundedAccount, rpcUrl = chain.rpcUrl) => {
    const client = await connectChain({ rpcUrl, contract })
    t.teardown(() => client.close())
    const signer = createKeySigner(fromHex(privateKey))
    return {
      client,
      transactions: createTransactionSender({ chain: client, signer, pollInterval: 20 }),
    }
  }

  return {
    ...system,
    receiver: () => receiver,
    as,
    asSender: (rpcUrl?: string) => as(senderAccount, rpcUrl),
    asReceiver: (rpcUrl?: string) => as(receiverAccount, rpcUrl),
    /** The only channel of an agent, as the chain and as the receiver's books know it. */
    channelOf: (agent: Agent) => {
      const [known] = agent.channels()
      if (known === undefined) throw new Error('the agent has no channel')
      const { openBlock } = known
      const id: ChannelId = { sender: agent.address, receiver: receiverAccount.address, openBlock }
      const { claims, proof } = receiver.book.ledger(agent.address, openBlock)
      if (proof === undefined) throw new Error('the receiver has no proof')
      const name = `${receiverAccount.address}/${openBlock}` as const
      return { id, name, openBlock, highest: claims.highest, signature: shownProof(proof) }
    },
    /** Stops the receiver, does `between`, and starts it again where it was. */
    restartReceiver: async (between: () => Promise<void> = async () => undefined) => {
      await server.close()
      await receiver.stop()
      await between()
      receiver = await startReceiver({
        signer: createKeySigner(fromHex(receiverAccount.privateKey)),
        rpcUrl: chain.rpcUrl,
        contract,
        timeout: patience,
        state: join(folder, 'receiver'),
        pollInterval: 20,
        confirmations: 1,
        ...receiverOptions,
      })
      const again = await createReceiverServer(receiver, [reading()])
      t.teardown(async () => {
        await again.close()
        await receiver.stop()
      })
      await receiver.synced
      await again.listen({ host: '127.0.0.1', port: Number(new URL(base).port) })
    },
  }
}
