// What is sold, as a list for a person.
import { formatAmount, parseAmount, type TokenUnit } from '../../protocol/index.ts'
import type { PriceOf, PriceRule } from '../paywall/price.ts'

export interface ListedPrice {
  readonly path: string
  readonly method: string
  /** With its unit; `computed` where it depends on the request. */
  readonly price: string
}

export interface Priced<Request> {
  readonly path: string
  readonly method?: string
  readonly price: PriceRule<Request>
}

/** A table of prices becomes one entry for each of its patterns. */
export function listPrices<Request>(
  resources: readonly Priced<Request>[],
  token: TokenUnit,
): readonly ListedPrice[] {
  return resources.flatMap(({ path, method = 'GET', price }) => {
    if (typeof price !== 'object') return [{ path, method, price: shown(price, token) }]
    return Object.entries(price).map(([pattern, each]) => ({
      path: pattern === '*' ? path : pattern,
      method,
      price: shown(each, token),
    }))
  })
}

function shown<Request>(price: PriceOf<Request>, token: TokenUnit): string {
  if (typeof price === 'function') return 'computed'
  return formatAmount(typeof price === 'string' ? parseAmount(price, token) : price, token)
}
