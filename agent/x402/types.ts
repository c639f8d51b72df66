// What the owner says of assets that are paid by x402, and what is remembered of an authorization.
import type { Milliseconds } from '../../platform/time/clock.ts'
import type { Address, Hex, TokenAmount, TokenUnit } from '../../protocol/index.ts'
import type { TokenDomain } from '../../protocol/x402/index.ts'

/** A token that may be paid with: by its address and chain, never by what it is called. */
export interface Asset {
  /** As the owner calls it: budgets and prices are written with it. */
  readonly name: string
  readonly address: Address
  readonly chainId: bigint
  readonly decimals: number
  /** Of what is signed for it, where the owner says it; the token's own is asked for in any case. */
  readonly domain?: TokenDomain
  /** Nodes of its chain: the first that answers, but all of them where money becomes free again. */
  readonly rpcUrl: readonly string[]
  /** Blocks that a fact must be deep to count. */
  readonly confirmations: number
}

/** One EIP-3009 authorization that was written down, perhaps signed, and is not known to be over. */
export interface Authorised {
  readonly nonce: Hex
  readonly asset: string
  readonly chainId: bigint
  readonly address: Address
  readonly payTo: Address
  readonly value: TokenAmount
  /** Unix time in seconds. */
  readonly validBefore: number
  readonly job: string | undefined
  /** The caller's idempotency key. */
  readonly key: string | undefined
  /** The request that it pays: method and URL, and a digest of the body. */
  readonly to: string
  readonly body: string
  /** When it was counted, by the time that budgets go by. */
  readonly time: Milliseconds
}

export function unitOf({ name, decimals }: Pick<Asset, 'name' | 'decimals'>): TokenUnit {
  return { symbol: name, decimals }
}
