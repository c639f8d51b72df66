// What doctor finds about the tokens of x402, and about a seller that may be paid with them.
import { type Finding, failure, ok, warning } from '../../../platform/cli/doctor.ts'
import { type Address, formatAmount, type TokenUnit } from '../../../protocol/index.ts'
import type { PaymentPlan } from '../../purchase/dialect.ts'
import { createTransport, type OpenAnswer } from '../../transport/transport.ts'
import { quotesIn, readAsked, speaksRdn } from '../../x402/answers.ts'
import { createAssetChain } from '../../x402/chain.ts'
import { checkDecimals } from '../../x402/parts.ts'
import { type Asset, unitOf } from '../../x402/types.ts'

/** Milliseconds for an answer of a node. */
const nodeTimeout = 5000

/**
 * Is it what the configuration says, and what has the account of it?
 * @throws UraidenError `asset_unknown_to_chain`, `asset_chain_unavailable`, `asset_decimals_differ`
 */
export async function lookAtAsset(asset: Asset, account: Address): Promise<Finding> {
  const chain = createAssetChain(createTransport({ timeout: nodeTimeout }), account)
  const { decimals } = await chain.token(asset)
  checkDecimals(asset, decimals)
  const balance = await chain.balance(asset)
  const has = formatAmount(balance, unitOf(asset))
  if (balance > 0n) return ok(`${has} on chain ${asset.chainId}`)
  return warning(
    `${has} on chain ${asset.chainId}: nothing can be paid with it. Send ${asset.name} to ${account}.`,
  )
}

interface Seller {
  /** How it may be paid; undefined: through channels alone. */
  readonly plan: PaymentPlan | undefined
  /** Begins the finding. */
  readonly shown: string
  readonly assets: readonly Asset[]
}

/** What a seller asks that would be paid by x402; undefined where it would be paid through a channel. */
export async function lookAtSeller(
  url: URL,
  answer: OpenAnswer,
  { plan, shown, assets }: Seller,
): Promise<Finding | undefined> {
  if (speaksRdn(answer) && plan?.dialects[0] !== 'x402') return undefined
  const asked = await readAsked(url, answer)
  if (asked === undefined) return undefined
  if (!plan?.dialects.includes('x402')) {
    return failure(`${shown} sells by x402. Set pay: [x402] for it, if it is to be paid so.`)
  }
  const prices = quotesIn(asked, assets).flatMap(({ price, unit }) => priceText(price, unit))
  if (prices.length > 0) return ok(`${shown} costs ${prices.join(' or ')} by x402`)
  return failure(
    `${shown} sells by x402, but for nothing that is under assets. Add a token that it takes, or buy elsewhere.`,
  )
}

function priceText(price: bigint, unit: TokenUnit | undefined): readonly string[] {
  return unit === undefined ? [] : [formatAmount(price, unit)]
}
