// What the token refused to pay when a channel ended, because it was paused or had blocked the account: the contract
// keeps it for the account as a payout credit, and pays it when the token does.
import type { ChainClient } from '../../platform/chain/index.ts'
import type { Address, TokenAmount } from '../../protocol/index.ts'
import type { ChannelBook } from '../channels/book.ts'
import type { SettlementContext } from './answers.ts'
import { createOperations } from './operations.ts'
import { type CollectPolicy, isWorthItsFee } from './policy.ts'

/** An estimate with room: a call of the contract that transfers tokens once. */
const collectGas = 60_000n

export interface CreditOptions extends SettlementContext {
  readonly book: Pick<ChannelBook, 'asSeen' | 'seenTo' | 'position' | 'ended'>
  readonly chain: Pick<ChainClient, 'payoutCredit' | 'calls'>
  readonly own: Address
  readonly policy: CollectPolicy
}

export interface CreditCollecting {
  /** Asks the chain when a channel has ended since, and as long as it keeps something. */
  readonly isDue: () => Promise<boolean>
  /** Sends what is due; resolves without waiting for blocks. Never rejects. */
  readonly round: (gasPrice: bigint) => Promise<void>
  readonly idle: () => Promise<void>
}

export function createCreditCollecting(options: CreditOptions): CreditCollecting {
  const { book, chain, own, policy, log } = options
  let ended = 0
  let kept: TokenAmount = 0n
  const operations = createOperations({
    ...options,
    position: () => book.position()?.block ?? 0,
    onMined: (_, { transaction }) =>
      log?.info({ transaction }, 'collected what the token had refused to pay'),
    onWaiting: (_, err) =>
      log?.warn(
        { units: `${kept}`, err },
        'the token refuses to pay what a channel ended with: the contract keeps it, and pays it when the token does',
      ),
  })
  return {
    isDue: async () => {
      const now = book.ended()
      if (now !== ended || kept > 0n) kept = await chain.payoutCredit(own)
      ended = now
      return kept > 0n
    },
    round: (gasPrice) => {
      const isWorth = kept > 0n && isWorthItsFee(policy, kept, gasPrice * collectGas)
      const feeCap = () => policy.mostGasPrice
      const call = async () => ({ ...chain.calls.collectCredit(own), feeCap })
      return operations.pursue(isWorth ? [{ name: 'collect a payout credit', call }] : [])
    },
    idle: operations.idle,
  }
}
