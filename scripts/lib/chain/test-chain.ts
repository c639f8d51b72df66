// The chain of ./scripts/chain: one that starts with funded accounts, or the one that runs already.
import { Contract, getCreateAddress, Wallet } from 'ethers'
import { tokenAbi } from '../../../contracts/abi/token.ts'
import { type Address, parseAddress } from '../../../protocol/index.ts'
import {
  deployTestContracts,
  type EmbeddedChain,
  startEmbeddedChain,
} from '../../../test/lab/chains/embedded-chain.ts'
import { LabProvider } from '../../../test/lab/chains/lab-provider.ts'
import { testAccount } from '../../../test/lab/chains/test-accounts.ts'
import { listening } from '../shared/script.ts'

export interface TestChainOptions {
  /** TCP port on 127.0.0.1; 0 takes a free one. */
  readonly port: number
  /** Milliseconds. */
  readonly blockInterval?: number | undefined
  /** Blocks. */
  readonly challengePeriod: number
  readonly chainId: number
}

/** Somebody who has the tokens of a test chain, and gives of them. */
export interface Purse {
  /** From an account with its node. */
  readonly owner: Wallet
  readonly token: Contract
}

export interface FundedChain extends Purse {
  readonly chain: EmbeddedChain
  readonly tokenAddress: Address
  readonly channelsAddress: Address
}

/** The first has the rest of the tokens. */
export const fundedAccounts = 5

const ether = 10n ** 18n

/** Of each of the other funded accounts, in whole tokens. */
export const usualTokens = 1000n

/** What an address gets that a person names: tokens and ether, whole ones. */
export const gift = { tokens: 100n, ether: 10n }

/** @throws UraidenError `port_in_use` */
export async function startFundedChain(options: TestChainOptions): Promise<FundedChain> {
  const { port, blockInterval, challengePeriod, chainId } = options
  const chain = await listening(port, () => startEmbeddedChain({ port, blockInterval, chainId }))
  try {
    const owner = chain.wallet(0)
    const deployed = await deployTestContracts(owner, { challengePeriod })
    for (const { address } of chain.accounts.slice(1, fundedAccounts)) {
      await sendTokens(deployed, address, usualTokens * ether)
    }
    return { chain, owner, ...deployed }
  } catch (error) {
    await chain.close()
    throw error
  }
}

/** Tokens, and ether for fees. */
export async function fund({ owner, token }: Purse, address: Address): Promise<void> {
  await sendTokens({ token }, address, gift.tokens * ether)
  await (await owner.sendTransaction({ to: address, value: gift.ether * ether })).wait()
}

async function sendTokens(
  { token }: Pick<Purse, 'token'>,
  to: Address,
  amount: bigint,
): Promise<void> {
  await (await token.getFunction('transfer(address,uint256)')(to, amount)).wait()
}

/** Of the chain of ours that listens on this port; undefined when there is none, or something else is there. */
export async function findPurse({
  port,
  chainId,
}: Pick<TestChainOptions, 'port' | 'chainId'>): Promise<Purse | undefined> {
  const rpcUrl = `http://127.0.0.1:${port}`
  const provider = new LabProvider({ rpcUrl, chainId, pollingInterval: 50 })
  const { address, privateKey } = testAccount(0)
  const place = getCreateAddress({ from: address, nonce: 0 })
  try {
    const [id, client, code] = await Promise.all([
      provider.send('eth_chainId', []),
      provider.send('web3_clientVersion', []),
      provider.getCode(place),
    ])
    if (Number(id) === chainId && /hardhat/i.test(client) && code !== '0x') {
      const owner = new Wallet(privateKey, provider)
      return { owner, token: new Contract(parseAddress(place), [...tokenAbi], owner) }
    }
  } catch {
    // Whatever listens there is no node.
  }
  provider.destroy()
  return undefined
}
