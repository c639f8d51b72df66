// Whether it is worth while to collect now, and from which channels, decided on plain data.
import { compareBigints, type TokenAmount } from '../../protocol/index.ts'
import { provenBalance } from '../channels/proofs.ts'
import { type Channel, dueOf, isTicked } from '../channels/records.ts'

export interface CollectPolicy {
  /** Leave it while all channels together owe less. */
  readonly least: TokenAmount
  /** Leave channels that owe less. */
  readonly leastEach?: TokenAmount | undefined
  /** Also what owes nothing, and has a proof to end it with. */
  readonly nothingDue?: boolean | undefined
  /** There is no more for the fees, in wei: the largest first, as far as it goes. */
  readonly mostFee?: bigint | undefined
  /** Leave it while a unit of gas costs more, in wei. */
  readonly mostGasPrice?: bigint | undefined
  /** Leave what would cost more of itself, in hundredths of a percent; needs `etherPrice`. */
  readonly mostFeeShare?: bigint | undefined
  /** What 10^18 wei are worth, in the token's smallest unit. */
  readonly etherPrice?: TokenAmount | undefined
}

/** Gas that a collection takes, after docs/reference/gas.md: of a transaction, and of each channel in it. */
export interface GasModel {
  readonly perTransaction: bigint
  readonly perChannel: bigint
  /** Channels in one transaction. */
  readonly mostChannels: number
}

export interface Collectable {
  readonly channel: Channel
  readonly due: TokenAmount
}

export interface CollectPlan {
  /** One transaction each. Empty: nothing is collected now. */
  readonly batches: readonly (readonly Collectable[])[]
  /** Why not, or not all. */
  readonly reason: 'nothing_due' | 'too_little' | 'gas_price' | 'fee_share' | undefined
  readonly sum: TokenAmount
  /** Expected, in wei. */
  readonly fee: bigint
  readonly gasPrice: bigint
  /** What is owed and left where it is. */
  readonly left: { readonly channels: number; readonly sum: TokenAmount }
}

export const withdrawGas: GasModel = {
  perTransaction: 40_000n,
  perChannel: 13_500n,
  mostChannels: 50,
}

/**
 * With the fifth more that is offered they fit into a transaction (EIP-7825), also when the code of every sender
 * burns the 300 000 gas that a payout may take: nobody keeps a batch from its block.
 */
export const mostClosesTogether = 40

export const closeGas: GasModel = {
  perTransaction: 40_000n,
  perChannel: 17_500n,
  mostChannels: mostClosesTogether,
}

/** Contracts of version 0.2 have no batches. */
export const singleGas: GasModel = { perTransaction: 76_000n, perChannel: 0n, mostChannels: 1 }

/** What a best proof takes more when it is a tick: its five words, and a hash for each place up to it. */
export function tickGas({ proof }: Pick<Channel, 'proof'>): bigint {
  return proof !== undefined && isTicked(proof) ? 1_500n + 52n * BigInt(proof.index) : 0n
}

export function planCollection(
  channels: Iterable<Channel>,
  policy: CollectPolicy,
  market: { readonly gas: GasModel; readonly gasPrice: bigint },
): CollectPlan {
  const { gas, gasPrice } = market
  const all = [...channels]
    .map((channel) => ({ channel, due: dueOf(channel, provenBalance(channel)) }))
    .filter(({ channel, due }) => due > 0n || (policy.nothingDue && provenBalance(channel) > 0n))
    .sort((a, b) => compareBigints(b.due, a.due))
  const collect = (items: readonly Collectable[], reason: CollectPlan['reason']): CollectPlan => {
    const sum = sumOf(items)
    return {
      batches: chunks(items, gas.mostChannels),
      reason,
      sum,
      fee: (gasOf(items.length, gas) + tickGasOf(items)) * gasPrice,
      gasPrice,
      left: { channels: all.length - items.length, sum: sumOf(all) - sum },
    }
  }
  if (all.length === 0) return collect([], 'nothing_due')
  if (sumOf(all) < policy.least) return collect([], 'too_little')
  if (policy.mostGasPrice !== undefined && gasPrice > policy.mostGasPrice) {
    return collect([], 'gas_price')
  }
  const { leastEach = 0n } = policy
  const wanted = affordable(
    all.filter(({ due }) => due >= leastEach),
    policy,
    market,
  )
  if (wanted.length === 0) return collect([], 'too_little')
  const worth = worthTheirFee(wanted, policy, market)
  // What is left may be too little for the transactions that a larger sum would have been worth.
  if (sumOf(worth) < policy.least) return collect([], 'fee_share')
  return collect(worth, worth.length < wanted.length ? 'fee_share' : undefined)
}

/** `fee` in wei. */
export function isWorthItsFee(
  { mostFeeShare, etherPrice }: CollectPolicy,
  sum: TokenAmount,
  fee: bigint,
): boolean {
  if (mostFeeShare === undefined || etherPrice === undefined) return true
  // Cross-multiplied: fee in tokens / sum <= share / 10 000.
  return fee * etherPrice * 10_000n <= sum * mostFeeShare * 10n ** 18n
}

/** A transaction offers up to twice of what gas costs now. */
function affordable(
  sorted: readonly Collectable[],
  { mostFee }: CollectPolicy,
  { gas, gasPrice }: { readonly gas: GasModel; readonly gasPrice: bigint },
): readonly Collectable[] {
  if (mostFee === undefined) return sorted
  let count = sorted.length
  let ticks = tickGasOf(sorted)
  while (count > 0 && 2n * (gasOf(count, gas) + ticks) * gasPrice > mostFee) {
    ticks -= tickGasAt(sorted, --count)
  }
  return sorted.slice(0, count)
}

/**
 * As many of the largest as pay for themselves: each for its own part of a transaction, and all
 * together for everything.
 */
function worthTheirFee(
  sorted: readonly Collectable[],
  policy: CollectPolicy,
  { gas, gasPrice }: { readonly gas: GasModel; readonly gasPrice: bigint },
): readonly Collectable[] {
  const isWorth = (used: bigint, sum: TokenAmount) => isWorthItsFee(policy, sum, used * gasPrice)
  const own = gas.perChannel > 0n ? gas.perChannel : gas.perTransaction
  const firstPoor = sorted.findIndex(({ due, channel }) => !isWorth(own + tickGas(channel), due))
  let count = firstPoor < 0 ? sorted.length : firstPoor
  let sum = sumOf(sorted.slice(0, count))
  let ticks = tickGasOf(sorted.slice(0, count))
  // The last ones may need a transaction more that they do not pay for.
  while (count > 0 && !isWorth(gasOf(count, gas) + ticks, sum)) {
    sum -= sorted[--count]?.due ?? 0n
    ticks -= tickGasAt(sorted, count)
  }
  return sorted.slice(0, count)
}

function gasOf(channels: number, { perTransaction, perChannel, mostChannels }: GasModel): bigint {
  const transactions = Math.ceil(channels / mostChannels)
  return BigInt(transactions) * perTransaction + BigInt(channels) * perChannel
}

function tickGasOf(items: readonly Collectable[]): bigint {
  return items.reduce((sum, { channel }) => sum + tickGas(channel), 0n)
}

function tickGasAt(items: readonly Collectable[], at: number): bigint {
  const item = items[at]
  return item === undefined ? 0n : tickGas(item.channel)
}

function sumOf(items: readonly Collectable[]): TokenAmount {
  return items.reduce((sum, { due }) => sum + due, 0n)
}

function chunks<Item>(items: readonly Item[], size: number): readonly (readonly Item[])[] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  )
}
