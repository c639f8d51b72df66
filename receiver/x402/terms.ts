// What a request costs in x402: the entry of `accepts` for the scheme `exact`, and which amounts are good for it.
import { type Address, largest, type TokenAmount, type TokenUnit } from '../../protocol/index.ts'
import { networkOf, type Requirements } from '../../protocol/x402/index.ts'
import type { Asset } from './token.ts'

/** Of `transferWithAuthorization`, more than usual tokens take (docs/reference/gas.md). */
const settlementGas = 100_000n

/** How many times its settlement's fee a payment is worth at least. */
const feeWorth = 2n

export interface ExactPrices {
  /** One whole token of the channels, in the asset's smallest unit; undefined where the two are the same token. */
  readonly tokenPrice?: TokenAmount | undefined
  /** Nothing is sold for less, in the asset's smallest unit. */
  readonly least?: TokenAmount | undefined
  /** 10^18 wei in the asset's smallest unit: then nothing is sold for less than twice the fee. */
  readonly etherPrice?: TokenAmount | undefined
}

export interface ExactTermsOptions extends ExactPrices {
  readonly chainId: bigint
  readonly asset: Asset
  readonly payTo: Address
  /** Of the channels: prices are in it. */
  readonly token: TokenUnit
  /** Seconds that a payment is to be good for. */
  readonly timeout: number
  /** For a unit of gas now, in wei, as far as it is known. */
  readonly gasPrice: () => bigint | undefined
  /** Milliseconds that only grow. */
  readonly now?: (() => number) | undefined
}

export interface ExactTerms {
  /** For a price in the channels' token. */
  readonly offer: (price: TokenAmount) => Requirements
  /** The least that is taken for it now: what was asked is good as long as the payment for it. */
  readonly least: (price: TokenAmount) => TokenAmount
}

export function createExactTerms(options: ExactTermsOptions): ExactTerms {
  const { chainId, asset, payTo, timeout } = options
  const { name, version } = asset.domain
  const fees = lowestLately(() => feeFloor(options), timeout * 1000, options.now)
  return {
    offer: (price) => ({
      ...{ scheme: 'exact', network: networkOf(chainId) },
      amount: `${largest(converted(options, price), fees.now())}`,
      ...{ asset: asset.address, payTo, maxTimeoutSeconds: timeout },
      // It is settled before the resource is asked: stock clients prefer what is not.
      extra: { name, version, paymentFlow: 'upfront' },
    }),
    least: (price) => largest(converted(options, price), fees.lowest()),
  }
}

/** Rounded up, and never nothing. */
function converted(
  { tokenPrice, token, least = 1n }: ExactTermsOptions,
  price: TokenAmount,
): TokenAmount {
  if (tokenPrice === undefined) return largest(price, least)
  const whole = 10n ** BigInt(token.decimals)
  return largest((price * tokenPrice + whole - 1n) / whole, least)
}

function feeFloor({ etherPrice, gasPrice }: ExactTermsOptions): TokenAmount {
  if (etherPrice === undefined) return 0n
  return (feeWorth * settlementGas * (gasPrice() ?? 0n) * etherPrice) / 10n ** 18n
}

interface Floor {
  readonly now: () => TokenAmount
  readonly lowest: () => TokenAmount
}

/** What it is now, and the lowest that it was within the last `span` milliseconds. */
function lowestLately(
  read: () => TokenAmount,
  span: number,
  now: () => number = () => performance.now(),
): Floor {
  /** In the order of time; until when each may have been told. */
  let told: { readonly amount: TokenAmount; until: number }[] = []
  const look = (): TokenAmount => {
    const amount = read()
    const newest = told.at(-1)
    if (newest?.amount === amount) newest.until = now() + span
    else told.push({ amount, until: now() + span })
    told = told.filter(({ until }) => until > now()).slice(-mostFloors)
    return amount
  }
  return {
    now: look,
    lowest: () => {
      const amount = look()
      return told.reduce((least, each) => (each.amount < least ? each.amount : least), amount)
    },
  }
}

const mostFloors = 64
