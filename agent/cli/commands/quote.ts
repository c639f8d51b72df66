// What a dry run answers: the price, and what a channel for it would cost to open or top up. Nothing is signed.
import {
  type Address,
  formatAmount,
  isUraidenError,
  largest,
  smallest,
  type TokenAmount,
  type TokenUnit,
} from '../../../protocol/index.ts'
import { type BudgetLimit, left } from '../../budget/caps.ts'
import { chooseDeposit, type DepositPolicy, defaultDeposits } from '../../channels/choose.ts'
import type { ChannelBalance } from '../../channels/ledger-types.ts'
import { channelName } from '../../channels/records.ts'

export interface Quote {
  readonly price: TokenAmount
  /** Decimals of the token: the price is in its smallest unit. */
  readonly decimals: number
  readonly symbol: string
  readonly receiver: Address | undefined
  /** Given where it is not paid through a channel. */
  readonly dialect?: 'x402'
  readonly opensChannel: boolean
  /** What the purchase would lock: about as much where nothing was bought there yet; 0 with room in a channel. */
  readonly deposit: TokenAmount
}

/** Of the books and the configuration. Amounts in the token's smallest unit. */
export interface QuoteBooks {
  readonly channels: readonly ChannelBalance[]
  readonly limits: readonly BudgetLimit[]
  readonly deposits: Partial<DepositPolicy>
}

/** What a receiver asks; undefined for another error. */
export function askedIn(error: unknown): Asked | undefined {
  if (!isUraidenError(error, 'dry_run') || error.details === undefined) return undefined
  const { price = '0', receiver, symbol, decimals } = error.details
  const asked = { price: BigInt(price), receiver: receiver as Address }
  if (symbol === undefined || decimals === undefined) return asked
  return { ...asked, asset: { symbol, decimals: Number(decimals) } }
}

interface Asked {
  readonly price: TokenAmount
  readonly receiver: Address
  /** That is paid with by x402, without a channel. */
  readonly asset?: TokenUnit
}

export function quoteOf(
  asked: Asked | undefined,
  { symbol, decimals }: TokenUnit,
  books: QuoteBooks,
): Quote {
  const unit = { decimals, symbol }
  if (asked === undefined) {
    return { price: 0n, ...unit, receiver: undefined, opensChannel: false, deposit: 0n }
  }
  const { price, receiver, asset } = asked
  if (asset !== undefined) {
    return { price, ...asset, receiver, dialect: 'x402', opensChannel: false, deposit: 0n }
  }
  const candidates = books.channels
    .filter((channel) => channel.receiver === receiver && channel.state === 'open')
    .map(({ openBlock, deposit, bound, balance, certain }) => {
      const name = channelName(receiver, openBlock)
      return { name, deposit, balance: certain ? balance : bound }
    })
  const known = { price, ...unit, receiver }
  if (candidates.some(({ deposit, balance }) => deposit - balance >= price)) {
    return { ...known, opensChannel: false, deposit: 0n }
  }
  const choice = chooseDeposit(
    candidates,
    { price, lastPrice: price, perDay: 0n },
    { deposits: { ...defaultDeposits, ...books.deposits }, room: roomIn(books) },
  )
  if (choice?.kind === 'topUp') return { ...known, opensChannel: false, deposit: choice.added }
  return { ...known, opensChannel: true, deposit: choice?.deposit ?? price }
}

/** What the caps over all leave for a deposit; undefined where there are none. */
function roomIn({ channels, limits, deposits }: QuoteBooks): TokenAmount | undefined {
  const caps = limits
    .filter(({ scope, window }) => scope === 'all' && window !== 'hour')
    .map((limit) => (limit.window === 'total' ? left(limit) : limit.cap))
  const held = channels
    .filter(({ state }) => state !== 'closed')
    .reduce((sum, { deposit }) => sum + deposit, 0n)
  if (deposits.mostInAll !== undefined) caps.push(largest(deposits.mostInAll - held, 0n))
  const [first, ...others] = caps
  return first === undefined ? undefined : smallest(first, ...others)
}

export function quoteText({
  price,
  opensChannel,
  deposit,
  receiver,
  dialect,
  ...unit
}: Quote): string {
  if (receiver === undefined) return 'free'
  const cost = formatAmount(price, unit)
  if (dialect === 'x402') return `${cost} by x402`
  if (deposit === 0n) return `${cost}, from the channel that is open`
  const locked = formatAmount(deposit, unit)
  return opensChannel
    ? `${cost}, and a channel with about ${locked} would be opened`
    : `${cost}, and about ${locked} would be added to the channel`
}
