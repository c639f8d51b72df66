// A real receiver on a real chain that keeps count of what it has served to whom.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createKeySigner } from '../../../platform/keys/index.ts'
import { fromHex } from '../../../protocol/index.ts'
import { claimedSum } from '../../../receiver/channels/claims.ts'
import { createReceiverServer, startReceiver } from '../../../receiver/index.ts'
import { deployTestContracts, startEmbeddedChain } from '../chains/embedded-chain.ts'
import { type PaidBy, paidBy } from './paid-by.ts'

export interface Sale {
  readonly request: string
  readonly number: number
  /** Milliseconds since 1970. */
  readonly time: number
  readonly paidBy: PaidBy
}

export interface Shop {
  readonly folder: string
  readonly url: string
  readonly rpcUrl: string
  readonly chainId: bigint
  readonly contract: string
  readonly senderKey: string
  readonly receiver: string
  /** How often each request was served. */
  readonly served: ReadonlyMap<string, number>
  /** What was served, in order; each body has its `number`. */
  readonly sales: readonly Sale[]
  /** What has paid on all channels, by the receiver's own books. */
  readonly claimed: () => bigint
  /** Gives another account tokens, and ether for its transactions. */
  readonly fund: (address: string, tokens: bigint) => Promise<void>
  readonly close: () => Promise<void>
}

export async function openShop(price: bigint, senderTokens: bigint): Promise<Shop> {
  const chain = await startEmbeddedChain()
  const { channelsAddress: contract, token } = await deployTestContracts(chain.wallet(0))
  const [, receiverAccount, sender] = chain.accounts
  if (!receiverAccount || !sender) throw new Error('the chain has no accounts')
  await (await token.getFunction('transfer(address,uint256)')(sender.address, senderTokens)).wait()
  const folder = await mkdtemp(join(tmpdir(), 'uraiden-torture-'))
  const receiver = await startReceiver({
    signer: createKeySigner(fromHex(receiverAccount.privateKey)),
    rpcUrl: chain.rpcUrl,
    contract,
    state: join(folder, 'receiver'),
    pollInterval: 20,
    confirmations: 1,
  })
  await receiver.synced
  const served = new Map<string, number>()
  const sales: Sale[] = []
  const server = await createReceiverServer(receiver, [
    {
      path: '/reading',
      price,
      handler: (request) => {
        const { request: name } = request.query as { readonly request: string }
        served.set(name, (served.get(name) ?? 0) + 1)
        const number = sales.length
        sales.push({ request: name, number, time: Date.now(), paidBy: paidBy(request.headers) })
        return { celsius: 21.4, number }
      },
    },
  ])
  const base = await server.listen({ host: '127.0.0.1', port: 0 })
  return {
    folder,
    url: `${base}/reading`,
    rpcUrl: chain.rpcUrl,
    chainId: chain.chainId,
    contract,
    senderKey: sender.privateKey,
    receiver: receiverAccount.address,
    served,
    sales,
    fund: async (address, tokens) => {
      await (await token.getFunction('transfer(address,uint256)')(address, tokens)).wait()
      await (await chain.wallet(0).sendTransaction({ to: address, value: 10n ** 18n })).wait()
    },
    claimed: () =>
      [...receiver.book.all()].reduce((sum, { claims }) => sum + claimedSum(claims), 0n),
    close: async () => {
      await server.close()
      await receiver.stop()
      await chain.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
