// The asset of x402's `exact` in the benchmarks: an EIP-3009 token with 6 decimals.
import { ContractFactory } from 'ethers'
import { dollarAbi } from '../../../contracts/abi/dollar.ts'
import { dollarBytecode } from '../../../contracts/bytecode/dollar.ts'
import type { EmbeddedChain } from '../../../test/lab/chains/embedded-chain.ts'

/** Deploys it and gives the buyer a thousand of it. Resolves with its address. */
export async function deployDollar(chain: EmbeddedChain, buyer: string): Promise<string> {
  const factory = new ContractFactory([...dollarAbi], dollarBytecode, chain.wallet(0))
  const dollar = await (await factory.deploy(10n ** 12n, 'Test Dollar', 'USD')).waitForDeployment()
  await (await dollar.getFunction('transfer')(buyer, 10n ** 9n)).wait()
  return dollar.getAddress()
}
