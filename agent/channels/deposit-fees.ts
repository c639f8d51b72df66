// How large a deposit is for its fee to be a small part of it.
import { dataFeeOf } from '../../platform/chain/index.ts'
import { smallest, type TokenAmount } from '../../protocol/index.ts'
import type { AgentChain } from './agent-chain.ts'
import type { FundingMethod } from './opening.ts'

export type DepositKind = 'open' | 'topUp'

/** By kind: of a deposit, in the token's smallest unit, or of its fee, in wei. */
export type ByKind = { readonly [Kind in DepositKind]: bigint }

export interface FeeShare {
  /** The most that a fee may be of its deposit, in hundredths of a percent. */
  readonly feeShare: bigint
  /** What 10^18 wei are worth, in the token's smallest unit. */
  readonly etherPrice: TokenAmount
}

/** The least deposit of which a fee, in wei, is no more than its share. */
export function worthItsFee(fee: bigint, { feeShare, etherPrice }: FeeShare): TokenAmount {
  // Cross-multiplied: fee in tokens / deposit <= share / 10 000.
  const divisor = feeShare * 10n ** 18n
  return (fee * etherPrice * 10_000n + divisor - 1n) / divisor
}

/** Gas of a deposit, after docs/reference/gas.md. */
const gasOf: { readonly [Method in Exclude<FundingMethod, 'auto' | 'relay'>]: ByKind } = {
  erc223: { open: 64_000n, topUp: 47_400n },
  permit: { open: 81_300n, topUp: 81_300n },
  approve: { open: 110_000n, topUp: 93_400n },
  // The opening as measured with the token of the tests; tops up as `auto` does.
  authorization: { open: 100_000n, topUp: 93_400n },
}

/** Bytes of its transactions, where their data has a price of its own. */
const bytesOfDeposit = 500

/** What a deposit takes by this method, at most: nobody knows before whether a token knows ERC-223. */
export function gasOfDeposit(method: FundingMethod): ByKind {
  return gasOf[method === 'auto' || method === 'relay' ? 'approve' : method]
}

/**
 * What deposits of our own are expected to cost now, in wei.
 * @throws UraidenError those of the chain
 */
export async function expectedFees(
  { client, sender }: Pick<AgentChain, 'client' | 'sender'>,
  method: FundingMethod,
  mostFeePerGas: bigint | undefined,
): Promise<ByKind> {
  const { open, topUp } = gasOfDeposit(method)
  const [now, data] = await Promise.all([sender.gasPrice(), dataFeeOf(client)(bytesOfDeposit)])
  const price = smallest(now, mostFeePerGas)
  return { open: open * price + data, topUp: topUp * price + data }
}
