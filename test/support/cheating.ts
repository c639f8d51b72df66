// A sender that cheats: it has paid, and asks to close for less.

import type { ExecutionContext } from 'ava'
import { createTransactionSender } from '../../platform/chain/index.ts'
import { createKeySigner } from '../../platform/keys/index.ts'
import { fromHex } from '../../protocol/index.ts'
import { type ReceiverOptions, startReceiver } from '../../receiver/index.ts'
import { givenChannel } from './channel.ts'
import { patience } from './until.ts'

/** Of the contract that tests deploy. */
export const challengePeriod = 500

/** A receiver with a paid channel, and what a cheating sender can do about it. */
export async function givenCheater(t: ExecutionContext, options: Partial<ReceiverOptions> = {}) {
  const quick = { transactionPoll: 10, ...options }
  const system = await givenChannel(t, { receiver: quick })
  const { chain, contract, client, channel, receiverAccount, receiver } = system
  const transactions = createTransactionSender({
    chain: client,
    signer: createKeySigner(fromHex(system.senderAccount.privateKey)),
    pollInterval: 10,
  })
  const { provider } = chain
  return {
    ...system,
    /** Asks to close at `balance`. */
    requestClose: (balance: bigint, openBlock = channel.openBlock) =>
      transactions.send(client.calls.uncooperativeClose({ ...channel, openBlock }, balance)),
    /** Another channel of the same sender; resolves with its open block. */
    openAnother: async (deposit = 100n) =>
      (await transactions.send(client.calls.openErc223(system.token, { ...channel, deposit })))
        .contractBlock,
    /** Of the receiver's account. */
    sent: () => provider.getTransactionCount(receiverAccount.address),
    setEther: (wei: bigint) =>
      provider.send('hardhat_setBalance', [receiverAccount.address, `0x${wei.toString(16)}`]),
    setBaseFee: (wei: bigint) =>
      provider.send('hardhat_setNextBlockBaseFeePerGas', [`0x${wei.toString(16)}`]),
    infoOf: (openBlock: number) => client.channelInfo({ ...channel, openBlock }),
    isOver: async () => (await client.channelInfo(channel)) === undefined,
    /** The same receiver once more, on the same or another state folder. */
    startAgain: async (more: Partial<ReceiverOptions> = {}) => {
      const again = await startReceiver({
        signer: createKeySigner(fromHex(receiverAccount.privateKey)),
        rpcUrl: chain.rpcUrl,
        contract,
        timeout: patience,
        state: `${system.folder}/receiver`,
        pollInterval: 20,
        confirmations: 1,
        ...quick,
        ...more,
      })
      t.teardown(() => again.stop())
      return again
    },
    stopped: () => receiver.stop(),
  }
}
