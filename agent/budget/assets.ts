// Amounts of several tokens, as a person writes them: each says with its unit which one it is of.
import {
  parseAmount,
  type TokenAmount,
  type TokenUnit,
  type UraidenError,
} from '../../protocol/index.ts'
import { agentError } from '../errors/index.ts'

/** Of a text that names one of the assets, which; undefined for what is of the channels' token. */
export function assetNamed<Unit extends TokenUnit>(
  text: string,
  assets: readonly Unit[],
): Unit | undefined {
  const [, symbol] = /^[0-9.]+\s*(\S+)$/.exec(text.trim()) ?? []
  return assets.find((each) => each.symbol === symbol)
}

/** A price limit, and what it is in; undefined for the channels' token. */
export interface PriceLimit {
  readonly mostPrice: TokenAmount
  readonly mostPriceIn?: string
}

/** @throws UraidenError those of `parseAmount` */
export function parsePriceLimit(
  text: string,
  token: TokenUnit,
  assets: readonly TokenUnit[] = [],
): PriceLimit {
  const asset = assetNamed(text, assets)
  const mostPrice = parseAmount(text, asset ?? token)
  return asset === undefined ? { mostPrice } : { mostPrice, mostPriceIn: asset.symbol }
}

/**
 * No amount may be of two tokens.
 * @throws UraidenError `asset_name_taken`
 */
export function checkNames(token: TokenUnit, assets: readonly TokenUnit[]): void {
  if (assets.some(({ symbol }) => symbol === token.symbol)) throw nameTaken(token)
}

function nameTaken({ symbol }: TokenUnit): UraidenError {
  return agentError({
    code: 'asset_name_taken',
    message: `An asset is called ${symbol}, as the token of the channels is: nobody could say which of them a budget is in.`,
  })
}
