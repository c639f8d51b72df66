// A system whose channels are in a token of any kind.
import type { ExecutionContext } from 'ava'
import type { Contract } from 'ethers'
import { connectChain } from '../../platform/chain/index.ts'
import { type Address, parseAmount } from '../../protocol/index.ts'
import type { ReceiverOptions } from '../../receiver/index.ts'
import {
  deployTestContracts,
  type EmbeddedChain,
  startEmbeddedChain,
} from '../lab/chains/embedded-chain.ts'
import { deployOver, mined } from './contracts.ts'
import { startSystemWith } from './system.ts'

/** Deploys a token, all of it the first account's, and a channels contract for it. */
export type Token = (
  chain: EmbeddedChain,
) => Promise<{ readonly token: Contract; readonly contract: Address }>

/** Our own token, which knows ERC-223 and EIP-2612. */
export function ofDecimals(decimals: number): Token {
  return async (chain) => {
    const { token, channelsAddress } = await deployTestContracts(chain.wallet(0), { decimals })
    return { token, contract: channelsAddress }
  }
}

/** Of test/contracts/tokens. */
export function tokenOf(name: string): Token {
  return async (chain) => {
    const { token, address } = await deployOver(chain, name)
    return { token, contract: address }
  }
}

/** Readings cost `priceText`; the sender has a thousand times as much. */
export async function startTokenSystem(
  t: ExecutionContext,
  deploy: Token,
  priceText: string,
  receiver: Partial<ReceiverOptions> = {},
) {
  const chain = await startEmbeddedChain()
  t.teardown(chain.close)
  const { token, contract } = await deploy(chain)
  const client = await connectChain({ rpcUrl: chain.rpcUrl, contract })
  t.teardown(client.close)
  const facts = await client.tokenFacts()
  const price = parseAmount(priceText, facts)
  const give = token.getFunction('transfer(address,uint256)')
  await mined(give(chain.accounts[2]?.address, 1000n * price))
  const reading = { path: '/reading', price, handler: () => ({ celsius: 21.4 }) }
  const deployed = { chain, contract, token }
  const system = await startSystemWith(t, deployed, { resources: [reading], receiver })
  return { system, price, facts, client }
}
