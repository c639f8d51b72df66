// Ether and tokens of the receiver's account, looked at in the background.
import type { ChainClient } from '../../platform/chain/index.ts'
import type { Address, TokenAmount } from '../../protocol/index.ts'

/** One object, written anew with every look. */
export interface AccountFunds {
  /** In wei; undefined before the first look. */
  readonly ether: bigint | undefined
  /** Outside channels. */
  readonly tokens: TokenAmount
}

export interface AccountWatch {
  readonly funds: AccountFunds
  /** Looks now. */
  readonly refresh: () => Promise<void>
}

export function watchAccount(
  chain: Pick<ChainClient, 'etherBalance' | 'tokenBalance'>,
  address: Address,
): AccountWatch {
  const funds: { ether: bigint | undefined; tokens: TokenAmount } = { ether: undefined, tokens: 0n }
  return {
    funds,
    refresh: async () => {
      const found = await Promise.all([chain.etherBalance(address), chain.tokenBalance(address)])
      funds.ether = found[0]
      funds.tokens = found[1]
    },
  }
}
