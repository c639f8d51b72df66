// Receivers that are tortured, each in a process of its own, and channels to them.
import { fileURLToPath } from 'node:url'
import { connectChain, createTransactionSender } from '../../../platform/chain/index.ts'
import { createKeySigner } from '../../../platform/keys/index.ts'
import { type Address, fromHex, type SignatureDomain } from '../../../protocol/index.ts'
import { deployTestContracts, type EmbeddedChain } from '../chains/embedded-chain.ts'
import { type Forked, startForked } from '../processes/forked.ts'
import type { ProcessOptions } from '../processes/receiver-process.ts'
import { createPayer, type Payer, type PayerChannel } from './payer.ts'

/** What names the requests of each channel, and proves them; without a name some answers are lost. */
const ways = [
  { named: 'by key', proving: 'signatures' },
  { named: 'by binding', proving: 'signatures' },
  { named: 'not at all', proving: 'signatures' },
  { named: 'by binding', proving: 'ticks' },
  { named: 'by binding', proving: 'in turn' },
] as const

const program = fileURLToPath(new URL('../processes/receiver-process.ts', import.meta.url))

export function startTortured(options: ProcessOptions): Promise<Forked> {
  return startForked(program, options, 'the receiver')
}

export interface TorturedChannels {
  readonly domain: SignatureDomain
  readonly receiver: Pick<ProcessOptions, 'key' | 'rpcUrl' | 'contract'>
  /** Opens one for each way to pay. */
  readonly channels: (more?: Pick<PayerChannel, 'mayBeAway'>) => Promise<readonly Payer[]>
}

export async function openTorturedChannels(
  chain: EmbeddedChain,
  price: bigint,
): Promise<TorturedChannels> {
  const { channelsAddress: contract, token } = await deployTestContracts(chain.wallet(0))
  const [, receiver, sender] = chain.accounts
  if (!receiver || !sender) throw new Error('the chain has no accounts')
  const domain = { contract, chainId: chain.chainId }
  const parties = { sender: sender.address, receiver: receiver.address as Address }
  return {
    domain,
    receiver: { key: receiver.privateKey, rpcUrl: chain.rpcUrl, contract },
    channels: async (more = {}) => {
      const deposit = 10n ** 9n
      const tokens = deposit * BigInt(ways.length)
      await (await token.getFunction('transfer(address,uint256)')(sender.address, tokens)).wait()
      const client = await connectChain({ rpcUrl: chain.rpcUrl, contract })
      const signer = createKeySigner(fromHex(sender.privateKey))
      const transactions = createTransactionSender({ chain: client, signer, pollInterval: 10 })
      const { token: tokenAddress } = await client.contractFacts()
      const payers: Payer[] = []
      for (const way of ways) {
        const call = client.calls.openErc223(tokenAddress, { ...parties, deposit })
        const { contractBlock: openBlock } = await transactions.send(call)
        const key = sender.privateKey
        payers.push(createPayer({ domain, ...parties, openBlock, key, price, ...way, ...more }))
      }
      client.close()
      return payers
    },
  }
}
