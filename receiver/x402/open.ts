// x402 of one receiver, put together: what is asked, who settles, and what is remembered.
import type { ChainClient, TransactionSender } from '../../platform/chain/index.ts'
import {
  type Address,
  parseAmount,
  type TokenAmount,
  type TokenUnit,
} from '../../protocol/index.ts'
import type { RecordDisk } from '../channels/store.ts'
import { receiverError } from '../errors/index.ts'
import type { Dialect } from '../paywall/dialect.ts'
import type { OtherDialect } from '../paywall/paywall.ts'
import type { Replies } from '../paywall/replies.ts'
import type { Recovery } from '../signatures/recovery.ts'
import { openAuthorizationBook } from './book.ts'
import { x402Dialect } from './dialect.ts'
import { createExactSeller, type SettledFacts } from './exact.ts'
import { createFacilitatorSettler } from './facilitator.ts'
import { createOwnSettler } from './own-settler.ts'
import { createSettlementRoom, type SettlementLimits, type SettlementRoom } from './room.ts'
import type { Settler } from './settler.ts'
import { createExactTerms } from './terms.ts'
import { type Asset, type NamedDomain, readAsset } from './token.ts'

/** `accept.x402`: beside channels, payments of x402 are taken. Amounts are texts in the asset, or its smallest unit. */
export interface X402Options {
  /** An EIP-3009 token on the chain of the channels. */
  readonly asset: Address
  /** How the token calls itself in what is signed for it. Default: what the chain says. */
  readonly domain?: NamedDomain | undefined
  /** Default: the receiver's account. */
  readonly payTo?: Address | undefined
  /** One token of the channels in the asset; not needed where it is the same token. */
  readonly tokenPrice?: string | TokenAmount | undefined
  /** Nothing is sold for less. */
  readonly least?: string | TokenAmount | undefined
  /** One ether in the asset: nothing is sold for less than twice the fee of its settlement. */
  readonly etherPrice?: string | TokenAmount | undefined
  /** Seconds that a payment is to be good for. Default 60. */
  readonly timeout?: number | undefined
  /** Without one, payments are settled in this process. */
  readonly facilitator?: FacilitatorChoice | undefined
  /** Longest that a request waits for its settlement, in milliseconds. Default 30 000. */
  readonly patience?: number | undefined
  /** How deep the block of a settlement must be, itself included. Default 1. */
  readonly confirmations?: number | undefined
  /** Pay no more for a unit of gas, in wei. */
  readonly mostFeePerGas?: bigint | undefined
  readonly limits?: SettlementLimits | undefined
  /** Offers channels as a scheme of x402, `uraiden`. Default `on`. */
  readonly channels?: 'on' | 'off' | undefined
}

interface FacilitatorChoice {
  readonly url: string
  /** Whether his word is looked up on the chain. Default `chain`. */
  readonly trust?: 'chain' | 'facilitator' | undefined
  /** Longest wait for one answer, in milliseconds. Default 10 000. */
  readonly timeout?: number | undefined
}

export interface X402Parts {
  readonly chain: ChainClient
  readonly receiver: Address
  /** Of the channels. */
  readonly token: TokenUnit & { readonly address: Address }
  readonly rdn: Dialect
  readonly replies: Replies
  readonly recovery: Recovery
  readonly disk: RecordDisk
  /** Of the account that pays for settlements, with a journal. */
  readonly transactions: TransactionSender
  /** @throws UraidenError `relay_reserve` */
  readonly checkEther: () => Promise<void>
  readonly gasPrice: () => bigint | undefined
  /** Between two looks at the chain, in milliseconds. */
  readonly pollInterval: number
  readonly origins: readonly string[]
  readonly publicPath: string
  readonly log: X402Log | undefined
}

interface X402Log {
  readonly debug?: (facts: object, message: string) => void
  readonly info: (facts: object, message: string) => void
  readonly warn: (facts: object, message: string) => void
}

/** What was settled since the start. */
export interface X402Figures {
  readonly settled: number
  /** In the asset's smallest unit. */
  readonly income: TokenAmount
  /** Settlements under way. */
  readonly waiting: number
}

export interface X402 {
  readonly asset: Asset
  readonly payTo: Address
  readonly dialect: OtherDialect
  readonly figures: () => X402Figures
  /** To be called once the connection to the chain is closed. Resolves when nothing is being settled. */
  readonly stop: () => Promise<void>
}

/** @throws UraidenError `x402_asset_unusable`, those of `parseAmount` and of the chain */
export async function openX402(options: X402Options, parts: X402Parts): Promise<X402> {
  const { chain, token, receiver, log } = parts
  const { payTo = receiver, timeout = 60, channels = 'on', patience = 30_000 } = options
  const asset = await readAsset(chain, options.asset, options.domain)
  const terms = createExactTerms({
    ...pricesOf(options, { asset, token }),
    ...{ chainId: chain.chainId, asset, payTo, token, timeout, gasPrice: parts.gasPrice },
  })
  const room = createSettlementRoom(options.limits ?? {})
  const gone = new AbortController()
  const sums = { settled: 0, income: 0n }
  const onSettled = ({ amount, ...facts }: SettledFacts) => {
    sums.settled++
    sums.income += amount
    log?.debug?.({ ...facts, amount: `${amount}` }, 'a payment of x402 was settled')
  }
  const { recovery, replies, disk } = parts
  const book = await openAuthorizationBook(disk)
  const exact = createExactSeller({
    ...{ chain, asset, payTo, terms, recovery, replies, room, book, patience, onSettled },
    settler: settlerOf(options, parts, { asset, room, gone: gone.signal }),
    onUnable: (err) => log?.warn({ err }, 'a payment of x402 could not be settled'),
  })
  const { chainId } = chain
  const { rdn, origins, publicPath } = parts
  log?.info({ asset: asset.address, symbol: asset.symbol, payTo }, 'payments of x402 are taken')
  return {
    ...{ asset, payTo },
    stop: () => {
      gone.abort()
      return exact.idle()
    },
    dialect: x402Dialect({ chainId, rdn, exact, channels, timeout, origins, publicPath }),
    figures: () => ({ ...sums, waiting: room.waiting() }),
  }
}

interface Money {
  readonly asset: Asset
  readonly token: X402Parts['token']
}

function pricesOf({ tokenPrice, least, etherPrice }: X402Options, { asset, token }: Money) {
  const amount = (given: string | TokenAmount | undefined) =>
    typeof given === 'string' ? parseAmount(given, asset) : given
  if (tokenPrice === undefined && asset.address !== token.address) {
    throw receiverError({
      code: 'x402_asset_unusable',
      message: `accept.x402: prices are in ${token.symbol}, and the asset is ${asset.symbol}.`,
      hint: `Say what one ${token.symbol} is worth: tokenPrice: 1 ${asset.symbol}.`,
    })
  }
  return {
    tokenPrice: amount(tokenPrice),
    least: amount(least),
    etherPrice: amount(etherPrice),
  }
}

interface Settling {
  readonly asset: Asset
  readonly room: SettlementRoom
  readonly gone: AbortSignal
}

function settlerOf(
  { facilitator, confirmations = 1, mostFeePerGas, patience = 30_000 }: X402Options,
  { chain, transactions, checkEther, pollInterval, log }: X402Parts,
  { asset, room, gone }: Settling,
): Settler {
  if (facilitator === undefined) {
    return createOwnSettler({
      ...{ chain, asset, transactions, checkEther, mostFeePerGas, confirmations },
      onFailed: room.failed,
    })
  }
  const { url, trust = 'chain', timeout = 10_000 } = facilitator
  if (trust === 'facilitator') {
    log?.warn(
      { facilitator: url },
      'payments of x402 are not looked up: the facilitator is believed',
    )
  }
  return createFacilitatorSettler({
    ...{ chain, asset, confirmations, pollInterval, patience, trust, timeout, gone },
    url: url.replace(/\/+$/, ''),
    onLie: (facts) => log?.warn(facts, 'the facilitator says what the chain does not'),
  })
}
