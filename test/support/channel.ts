// A channel that a receiver has seen, and payments made by hand, to say each header oneself.
import type { ExecutionContext } from 'ava'
import { connectChain, createTransactionSender } from '../../platform/chain/index.ts'
import { createKeySigner } from '../../platform/keys/index.ts'
import { fromHex, type SignatureForm } from '../../protocol/index.ts'
import type { ReceiverOptions, Resource, ServerOptions } from '../../receiver/index.ts'
import { balanceProof } from '../../scripts/lib/sign.ts'
import { readChain } from './chain-read.ts'
import { startSystem } from './system.ts'

export const deposit = 100n

/** A system with a channel that the receiver has seen, and a hand to pay with. */
export async function givenChannel(
  t: ExecutionContext,
  options: {
    readonly receiver?: Partial<ReceiverOptions>
    readonly resources?: readonly Resource[]
    readonly server?: ServerOptions
  } = {},
) {
  const system = await startSystem(t, options.resources, options.receiver, options.server)
  const { chain, contract, base, receiver, receiverAccount, senderAccount } = system
  const signer = createKeySigner(fromHex(senderAccount.privateKey))
  const client = await connectChain({ rpcUrl: chain.rpcUrl, contract })
  t.teardown(() => client.close())
  const transactions = createTransactionSender({ chain: client, signer, pollInterval: 10 })
  const parties = { sender: senderAccount.address, receiver: receiverAccount.address }
  const { token } = await client.contractFacts()
  const { contractBlock: openBlock } = await transactions.send(
    client.calls.openErc223(token, { ...parties, deposit }),
  )
  await readChain(receiver)

  const domain = { contract, chainId: chain.chainId }
  const sign = (
    balance: bigint,
    key = senderAccount.privateKey,
    form?: SignatureForm,
    block = openBlock,
  ) =>
    balanceProof({
      domain,
      receiver: parties.receiver,
      openBlock: block,
      balance,
      key,
      ...(form && { form }),
    })
  const headers = (balance: bigint, more: Record<string, string> = {}) => ({
    'RDN-Sender-Address': parties.sender,
    'RDN-Open-Block': `${openBlock}`,
    'RDN-Balance': `${balance}`,
    'RDN-Balance-Signature': sign(balance),
    ...more,
  })
  const pay = (balance: bigint, more: Record<string, string> = {}) =>
    fetch(`${base}/reading`, { headers: headers(balance, more) })
  const api = (path: string, init?: RequestInit) => fetch(`${base}/api/1${path}`, init)
  const channel = { ...parties, openBlock }
  return { ...system, client, transactions, token, domain, channel, sign, headers, pay, api }
}
