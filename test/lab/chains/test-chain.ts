// What tests and demonstrations need of a chain, whether it is embedded or a geth.
import type { JsonRpcProvider, Wallet } from 'ethers'
import type { FundedAccount } from './test-accounts.ts'

export interface TestChain {
  readonly rpcUrl: string
  readonly chainId: bigint
  readonly accounts: readonly FundedAccount[]
  /** For deploying and for steering the chain; agent and receiver make their own connection. */
  readonly provider: JsonRpcProvider
  /** An ethers wallet of one of the accounts. */
  readonly wallet: (account: number) => Wallet
  readonly mine: (blocks: number) => Promise<void>
  readonly close: () => Promise<void>
}
