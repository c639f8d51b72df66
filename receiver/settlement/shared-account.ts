// What receivers of one account on several contracts have in common: its nonces, and the ether that each of them
// keeps for its channels.
import { createTransactionLane, type TransactionLane } from '../../platform/chain/index.ts'
import type { Address } from '../../protocol/index.ts'
import type { Reserve } from './reserve.ts'

export interface SharedAccount {
  /** All of them, best first. */
  readonly contracts: readonly Address[]
  readonly lane: TransactionLane
  /** Once, by the receiver on this contract. */
  readonly add: (contract: Address, reserve: Pick<Reserve, 'needed'>) => void
  /** Ether that all contracts but this one need for answers, in wei, as far as it is known. */
  readonly neededBeside: (butThis: Address) => bigint
}

/**
 * For `startReceiver`, as `shared` of each.
 * @example
 * const shared = shareAccount([contract, former])
 * const now = await startReceiver({ ...options, contract, state: 'state/now', shared })
 * const before = await startReceiver({ ...options, contract: former, state: 'state/before', shared })
 */
export function shareAccount(contracts: readonly Address[]): SharedAccount {
  const reserves = new Map<Address, Pick<Reserve, 'needed'>>()
  return {
    contracts,
    lane: createTransactionLane(),
    add: (contract, reserve) => void reserves.set(contract, reserve),
    neededBeside: (butThis) => {
      let sum = 0n
      for (const [contract, reserve] of reserves) {
        if (contract !== butThis) sum += reserve.needed() ?? 0n
      }
      return sum
    },
  }
}
