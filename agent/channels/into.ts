import type { Address, BlockNumber, TokenAmount } from '../../protocol/index.ts'

/** A deposit into a new channel, or with an open block into that one. */
export interface Into {
  readonly sender: Address
  readonly receiver: Address
  readonly amount: TokenAmount
  readonly openBlock?: BlockNumber
}
