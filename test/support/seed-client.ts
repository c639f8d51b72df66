// A client as the original's documents describe it: it asks with its last proof, reads the price from
// the 402, signs, asks again; and waits while its channel is not confirmed.
import type { ExecutionContext } from 'ava'
import { connectChain, createTransactionSender } from '../../platform/chain/index.ts'
import { createKeySigner } from '../../platform/keys/index.ts'
import { type Address, fromHex, parseAddress } from '../../protocol/index.ts'
import { balanceProof } from '../../scripts/lib/sign.ts'
import type { EmbeddedChain } from '../lab/chains/embedded-chain.ts'

export interface SeedClientOptions {
  readonly chain: EmbeddedChain
  readonly contract: Address
  readonly sender: EmbeddedChain['accounts'][number]
  readonly url: string
  /** Of a new channel, in units: the documents deposit ten times the price. */
  readonly deposit?: (price: bigint) => bigint
  /** Called when the receiver says that the channel is not confirmed yet. */
  readonly onUnconfirmed?: () => Promise<void>
}

export async function seedClient(t: ExecutionContext, options: SeedClientOptions) {
  const { chain, contract, sender, url, deposit = (price) => 10n * price, onUnconfirmed } = options
  const client = await connectChain({ rpcUrl: chain.rpcUrl, contract })
  t.teardown(() => client.close())
  const transactions = createTransactionSender({
    chain: client,
    signer: createKeySigner(fromHex(sender.privateKey)),
    pollInterval: 10,
  })
  let channel: { readonly receiver: Address; readonly openBlock: number } | undefined
  let balance = 0n
  let asked = 0

  async function open(receiver: Address, price: bigint) {
    const { token } = await client.contractFacts()
    const wanted = { sender: sender.address, receiver, deposit: deposit(price) }
    const { block } = await transactions.send(client.calls.openErc223(token, wanted))
    return { receiver, openBlock: block }
  }

  const sign = (amount: bigint) => {
    if (channel === undefined) throw new Error('there is no channel yet')
    const domain = { contract, chainId: chain.chainId }
    const proof = { domain, ...channel, balance: amount, key: sender.privateKey }
    return balanceProof({ ...proof, form: 'seed' })
  }

  const headers = (): Record<string, string> => ({
    'RDN-Contract-Address': contract,
    ...(channel !== undefined &&
      balance > 0n && {
        'RDN-Receiver-Address': channel.receiver,
        'RDN-Sender-Address': sender.address,
        'RDN-Open-Block': `${channel.openBlock}`,
        'RDN-Balance': `${balance}`,
        'RDN-Balance-Signature': sign(balance),
      }),
  })

  /** Asks for `//path`, as the original does, until it has it. */
  async function get(path: string): Promise<Response> {
    for (let tries = 0; tries < 3000; tries++) {
      asked++
      const answer = await fetch(`${url}/${path}`, { headers: headers() })
      if (answer.status !== 402) return answer
      if (answer.headers.has('rdn-insufficient-confirmations')) {
        await onUnconfirmed?.()
        continue
      }
      const price = BigInt(answer.headers.get('rdn-price') ?? '')
      channel ??= await open(parseAddress(answer.headers.get('rdn-receiver-address') ?? ''), price)
      if (answer.headers.has('rdn-nonexisting-channel')) {
        // The receiver has not seen the channel yet.
        await onUnconfirmed?.()
        continue
      }
      // As the original's Session: the balance that is shown counts with this reason only, and not when it is
      // the one that was offered.
      if (answer.headers.has('rdn-invalid-amount')) {
        const shown = BigInt(answer.headers.get('rdn-sender-balance') ?? 0)
        t.not(shown, balance, 'the receiver disguises an unconfirmed payment')
        t.is(answer.headers.get('rdn-balance-signature'), shown === 0n ? null : sign(shown))
        balance = shown
      }
      balance += price
    }
    throw new Error(`${path}: still not paid after 3000 tries`)
  }

  /** Asks for the closing agreement and closes with it; the balance that was agreed on. */
  async function close(): Promise<bigint> {
    if (channel === undefined) throw new Error('there is no channel')
    const answer = await fetch(
      `${url}/api/1/channels/${sender.address}/${channel.openBlock}`,
      // As form data, like the original.
      { method: 'DELETE', body: new URLSearchParams({ balance: `${balance}` }) },
    )
    t.is(answer.status, 200)
    const { close_signature } = (await answer.json()) as { readonly close_signature: `0x${string}` }
    const id = { sender: sender.address, ...channel }
    const call = client.calls.cooperativeClose(id, balance, sign(balance), close_signature)
    await transactions.send(call)
    return balance
  }

  return {
    get,
    close,
    balance: () => balance,
    channel: () => channel,
    /** How many requests it took so far. */
    asked: () => asked,
    /** As after a restart: it finds its channel on the chain, and knows no balance. */
    forget: () => {
      balance = 0n
    },
  }
}
