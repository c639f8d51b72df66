// Ends channels whose challenge period is over and whose senders leave it at that: their money is in
// the contract until somebody asks for it.
import type { Call } from '../../platform/chain/index.ts'
import type { TokenAmount } from '../../protocol/index.ts'
import { type Channel, channelName } from '../channels/records.ts'
import type { SettlementContext } from './answers.ts'
import { lastBlock, shortfall } from './exposure.ts'
import { createOperations } from './operations.ts'
import { type CollectPolicy, isWorthItsFee } from './policy.ts'

/** Blocks that a sender has to do it: it mostly wants the rest of its deposit. */
const graceBlocks = 20

/** docs/reference/gas.md: `settle` at a part of the deposit. */
const settleGas = 50_000n

export interface SettlingOptions extends SettlementContext {
  /** Version 0.2 of the contract lets only the sender settle. */
  readonly canEnd: (channel: Channel) => boolean
  readonly end: (channel: Channel) => Promise<Call>
  readonly policy: CollectPolicy
}

export interface Settling {
  /** Sends what is due; resolves without waiting for blocks. Never rejects. */
  readonly round: (gasPrice: bigint) => Promise<void>
  /** True when there is something to end, whatever it costs. */
  readonly isDue: () => boolean
  readonly idle: () => Promise<void>
}

export function createSettling(options: SettlingOptions): Settling {
  const { book, head, challengePeriod, canEnd, end, policy, log } = options
  const operations = createOperations({
    ...options,
    position: () => book.position()?.block ?? 0,
    onMined: (operation, { transaction }) =>
      log?.info({ operation, transaction }, 'a channel was settled for its sender'),
    onWaiting: (operation, err) => log?.warn({ operation, err }, 'a channel cannot be settled now'),
  })
  const overdue = () =>
    [...book.asSeen('closing')].filter(
      (channel) =>
        dueByEnd(channel) > 0n &&
        canEnd(channel) &&
        shortfall(channel) === 0n &&
        head() > lastBlock(channel, challengePeriod) + graceBlocks,
    )
  return {
    isDue: () => overdue().length > 0,
    round: (gasPrice) => {
      const worth = overdue().filter((channel) =>
        isWorthItsFee(policy, dueByEnd(channel), gasPrice * settleGas),
      )
      const feeCap = () => policy.mostGasPrice
      const wanted = worth.map((channel) => ({
        name: `settle/${channelName(channel.sender, channel.openBlock)}`,
        call: async () => ({ ...(await end(channel)), feeCap }),
      }))
      return operations.pursue(wanted)
    },
    idle: operations.idle,
  }
}

/** What the contract pays at the end, which may also be more than we have a proof for. */
function dueByEnd({ end, withdrawn }: Channel): TokenAmount {
  return end === undefined || end.balance <= withdrawn ? 0n : end.balance - withdrawn
}
