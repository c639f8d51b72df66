// Which of a seller's offers is paid, if any: pure functions on plain data, asked before anything is written down.

import { plainLine } from '../../platform/text/plain-text.ts'
import {
  type Address,
  defined,
  isUraidenError,
  shorten,
  type UraidenError,
} from '../../protocol/index.ts'
import {
  type ExactTerms,
  exactTerms,
  isExact,
  type PaymentRequired,
  type Requirements,
} from '../../protocol/x402/index.ts'
import { agentError } from '../errors/index.ts'
import { checkHost, checkReceiver } from '../purchase/policy.ts'
import type { Asset } from './types.ts'

/** An offer that can be paid, as far as it goes by what is asked for. */
export interface Offer {
  readonly asset: Asset
  readonly terms: ExactTerms
  /** Goes back as it came. */
  readonly accepted: Requirements
}

/** Of the owner's policy what an offer is checked by. */
export interface OfferPolicy {
  readonly assets: readonly Asset[]
  /** The only asset that this request may cost; any when not given. */
  readonly onlyAsset: string | undefined
}

/**
 * Of what is offered the asset that the owner names first, at its lowest price.
 * @throws UraidenError `x402_offer_unsupported`: there is nothing that we could sign; `asset_not_allowed`: for no
 * asset that the owner allows, by address and chain
 */
export function chooseOffer(
  { accepts }: PaymentRequired,
  { assets, onlyAsset }: OfferPolicy,
  url: URL,
): Offer {
  const possible = accepts.filter(isExact)
  if (possible.length === 0) throw unsupported(url, accepts)
  const read = possible.map((accepted, at) => ({ accepted, terms: termsOf(accepted, at) }))
  for (const asset of assets) {
    if (onlyAsset !== undefined && asset.name !== onlyAsset) continue
    const offers = read.flatMap(({ accepted, terms }) =>
      terms !== undefined && isOf(asset, terms) ? [{ asset, terms, accepted }] : [],
    )
    const [cheapest] = offers.sort((a, b) => (a.terms.amount < b.terms.amount ? -1 : 1))
    if (cheapest !== undefined) return cheapest
  }
  throw notAllowed(url, possible, onlyAsset)
}

/** One that cannot be read is none; others beside it are. */
function termsOf(accepted: Requirements, at: number): ExactTerms | undefined {
  try {
    return exactTerms(accepted, `accepts[${at}]`)
  } catch (error) {
    if (isUraidenError(error)) return undefined
    throw error
  }
}

function isOf(asset: Asset, terms: ExactTerms): boolean {
  return asset.address === terms.asset && asset.chainId === terms.chainId
}

/** At most so many are named. */
const mostNamed = 4

function unsupported({ origin }: URL, accepts: readonly Requirements[]): UraidenError {
  const methods = accepts.map(({ scheme, network, extra }) => {
    const method = extra?.assetTransferMethod
    return `${scheme}${typeof method === 'string' ? ` by ${method}` : ''} on ${network}`
  })
  return agentError({
    code: 'x402_offer_unsupported',
    message: `${origin} takes x402 payments only as ${named(methods)}; this agent pays exact by EIP-3009 on EVM chains.`,
  })
}

function notAllowed(
  { origin }: URL,
  accepts: readonly Requirements[],
  onlyAsset: string | undefined,
): UraidenError {
  const asked = accepts.map(({ amount, asset, network, extra }) => {
    const name = extra?.name
    const called = typeof name === 'string' ? `, which it calls ${shorten(name, 32)}` : ''
    return `${amount} units of ${asset} on ${network}${called}`
  })
  return agentError({
    code: 'asset_not_allowed',
    message: `${origin} wants ${named(asked)}; ${
      onlyAsset === undefined
        ? 'no asset of the configuration is that'
        : `this request may cost ${onlyAsset} only`
    }.`,
  })
}

/** A seller has written them. */
function named(texts: readonly string[]): string {
  const shown = [...new Set(texts)].slice(0, mostNamed).map((text) => plainLine(text, 160))
  return shown.join(', or ')
}

export interface SellerPolicy {
  /** The receivers that may be paid; all when not given. */
  readonly receivers?: readonly Address[] | undefined
  /** The only one that may be paid there, as the owner says. */
  readonly payTo: Address | undefined
  /** Who was paid there until now. */
  readonly before: Address | undefined
  /** Where may be bought; anywhere when not given. */
  readonly hosts?: readonly string[] | undefined
}

/** @throws UraidenError `host_not_allowed`, `receiver_changed`, `receiver_not_allowed` */
export function checkSeller(url: URL, { payTo: receiver }: ExactTerms, policy: SellerPolicy): void {
  const { receivers, payTo: expected, before, hosts } = policy
  checkHost(defined({ hosts }), url)
  if (expected === undefined) {
    checkReceiver(defined({ receivers }), { url, receiver, before })
    return
  }
  if (receiver === expected) return
  throw agentError({
    code: 'receiver_changed',
    message: `${url.origin} wants payment to ${receiver}, but the configuration says ${expected}.`,
    hint: 'Nothing was signed. If its owner says that this is right, write the new address under receivers.',
  })
}
