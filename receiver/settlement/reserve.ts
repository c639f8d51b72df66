// Ether that is kept for answers to dishonest closes, decided on plain data.

import type { TokenAmount } from '../../protocol/index.ts'
import type { ChannelBook } from '../channels/book.ts'
import { provenBalance } from '../channels/proofs.ts'
import { type Channel, dueOf } from '../channels/records.ts'
import { receiverError } from '../errors/index.ts'
import { shortfall } from './exposure.ts'
import { type GasModel, mostClosesTogether, singleGas, tickGas } from './policy.ts'

/** `cooperativeClose`, after docs/reference/gas.md with room for what it may need more. */
export const answerGas = 60_000n

/** Of its transaction; one in a batch has fewer for its gas. */
export const answerBytes = 450

/** `cooperativeCloseBatch`, the same. */
export const batchGas: GasModel = {
  perTransaction: 40_000n,
  perChannel: 18_000n,
  mostChannels: mostClosesTogether,
}

/** Singly while there are few; many at once can be answered only together. */
export const mostSingle = 3

export interface ReserveTerms {
  /** In wei for a unit of gas. */
  readonly fee: bigint
  /** Contracts of version 0.2 have no batches. */
  readonly hasBatches: boolean
  /** What 10^18 wei are worth, in the token's smallest unit. */
  readonly etherPrice?: TokenAmount | undefined
  /** Without a price: a stake that is not above it is not defended. */
  readonly least?: TokenAmount | undefined
}

/** Gas to answer dishonest closes of so many channels. */
export function gasForAnswers(channels: number, hasBatches: boolean): bigint {
  const count = BigInt(channels)
  if (!hasBatches) return count * singleGas.perTransaction
  if (channels <= mostSingle) return count * answerGas
  const { perTransaction, perChannel, mostChannels } = batchGas
  return BigInt(Math.ceil(channels / mostChannels)) * perTransaction + count * perChannel
}

/** True when what the channel owes is worth its own answer. */
export function isDefended(channel: Channel, terms: ReserveTerms): boolean {
  const { state } = channel
  if (state === 'settled') return false
  const stake = state === 'open' ? dueOf(channel, provenBalance(channel)) : shortfall(channel)
  return isWorthAnswer({ stake, channel }, terms)
}

export function isWorthAnswer(
  { stake, channel }: { readonly stake: TokenAmount; readonly channel: Pick<Channel, 'proof'> },
  terms: ReserveTerms,
): boolean {
  return isWorthGas(stake, gasForAnswers(1, terms.hasBatches) + tickGas(channel), terms)
}

/** True when a stake is worth so much gas. Without a price, `least` is what an answer of its own is worth. */
export function isWorthGas(
  stake: TokenAmount,
  gas: bigint,
  { fee, etherPrice, least = 0n, hasBatches }: ReserveTerms,
): boolean {
  if (etherPrice === undefined) return stake * gasForAnswers(1, hasBatches) > least * gas
  return stake * 10n ** 18n > gas * fee * etherPrice
}

/** The smallest stake that is worth an answer of its own. */
export function leastWorthAnswer({
  fee,
  etherPrice,
  least = 0n,
  hasBatches,
}: ReserveTerms): TokenAmount {
  if (etherPrice === undefined) return least + 1n
  return (gasForAnswers(1, hasBatches) * fee * etherPrice) / 10n ** 18n + 1n
}

/** What the channels need now. */
export interface ReserveStatus {
  /** Channels that are worth an answer. */
  readonly channels: number
  /** Ether for all their answers, in wei; undefined while the price of gas is not known. */
  readonly needed: bigint | undefined
  readonly isShort: boolean
}

export interface Reserve {
  /** Counts the channels anew. */
  readonly round: () => void
  readonly status: () => ReserveStatus
  /** Ether for answers in all its channels, in wei; undefined while the price of gas is not known. */
  readonly needed: () => bigint | undefined
  /** By which a stake is worth its answer; undefined while the price of gas is not known. */
  readonly terms: () => ReserveTerms | undefined
  /** True when the account has too little for a channel more. */
  readonly isShortForNew: () => boolean
  /** @throws UraidenError `relay_reserve` when so much ether, in wei, is less than twice what is needed */
  readonly checkRelay: (ether: bigint) => void
}

export interface ReserveParts extends Omit<ReserveTerms, 'fee'> {
  readonly book: Pick<ChannelBook, 'asSeen'>
  /** Of the account that answers, in wei. */
  readonly ether: () => bigint | undefined
  /** The most that an answer may cost, in wei for a unit of gas; undefined: see `highest`. */
  readonly most: bigint | undefined
  /** What gas cost at most lately. */
  readonly highest: () => bigint | undefined
  /** What the data of an answer cost lately, where the chain takes a fee for it; in wei for a unit of gas. */
  readonly data: () => bigint
  /** What the same account needs for channels of other contracts, in wei. */
  readonly others?: () => bigint
  readonly onShort: (status: ReserveStatus) => void
}

/** How much dearer than lately gas may become without a configured limit. */
const feeRoom = 4n

export function createReserve(parts: ReserveParts): Reserve {
  const { book, ether, most, highest, data, hasBatches, etherPrice, least, onShort } = parts
  const { others = () => 0n } = parts
  let channels = 0
  /** Gas of their ticks. */
  let ticks = 0n
  let wasShort = false

  function needed(count: number): bigint | undefined {
    const fee = feeOf()
    return fee === undefined ? undefined : (gasForAnswers(count, hasBatches) + ticks) * fee
  }
  function feeOf(): bigint | undefined {
    // A limit is for gas alone.
    if (most !== undefined) return most + data()
    const price = highest()
    return price === undefined ? undefined : price * feeRoom
  }
  function isShort(count: number): boolean {
    const [has, needs] = [ether(), needed(count)]
    return has !== undefined && needs !== undefined && has < needs + others()
  }
  const terms = (): ReserveTerms | undefined => {
    const fee = feeOf()
    return fee === undefined ? undefined : { fee, hasBatches, etherPrice, least }
  }
  const status = () => ({ channels, needed: needed(channels), isShort: isShort(channels) })

  return {
    round: () => {
      const known = terms()
      channels = 0
      ticks = 0n
      if (known === undefined) return
      for (const channel of book.asSeen()) {
        if (!isDefended(channel, known)) continue
        channels++
        ticks += tickGas(channel)
      }
      const now = status()
      if (now.isShort && !wasShort) onShort(now)
      wasShort = now.isShort
    },
    status,
    needed: () => needed(channels),
    terms,
    isShortForNew: () => isShort(channels + 1),
    checkRelay: (has) => {
      // Also without channels: the first one may come with the next request.
      const least = 2n * ((needed(Math.max(channels, 1)) ?? 0n) + others())
      if (has >= least) return
      throw receiverError({
        code: 'relay_reserve',
        message: `The receiver keeps ${least} wei to defend its channels and has ${has}.`,
      })
    },
  }
}
