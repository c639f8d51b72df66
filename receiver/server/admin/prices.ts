// What is sold, as a list for a person.
import { formatAmount, parseAmount, type TokenUnit } from '../../../protocol/index.ts'
import type { PriceOf, PriceRule } from '../../paywall/price.ts'

export interface ListedPrice {
  readonly path: string
  /** Empty for all. */
  readonly methods: readonly string[]
  /** With its unit; `computed` where it depends on the request. */
  readonly price: string
}

export interface Priced<Request> {
  readonly path: string
  readonly methods: readonly string[]
  readonly price: PriceRule<Request>
}

/** A table of prices becomes one entry for each of its patterns. */
export function listPrices<Request>(
  resources: readonly Priced<Request>[],
  token: TokenUnit,
): readonly ListedPrice[] {
  return resources.flatMap(({ path, methods, price }) => {
    // The server adds HEAD to every GET by itself.
    if (methods.every((method) => method === 'HEAD')) return []
    if (typeof price !== 'object') return [{ path, methods, price: shown(price, token) }]
    return Object.entries(price).map(([pattern, each]) => ({
      ...splitPattern(pattern, { path, methods }),
      price: shown(each, token),
    }))
  })
}

/** `METHOD /path`, `/path`, or `*` for all that the route has besides. */
function splitPattern(
  pattern: string,
  route: { readonly path: string; readonly methods: readonly string[] },
) {
  if (pattern === '*') return route
  const [path = '', method] = pattern.split(' ').reverse()
  return { path, methods: method === undefined ? route.methods : [method] }
}

function shown<Request>(price: PriceOf<Request>, token: TokenUnit): string {
  if (typeof price === 'function') return 'computed'
  return formatAmount(typeof price === 'string' ? parseAmount(price, token) : price, token)
}
