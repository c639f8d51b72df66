// From the prices of a configuration to those of the paywall.
import type { PriceOf, PriceRule } from '../../paywall/price.ts'

/**
 * The paywall's pattern for what a person writes: `GET` alone is every path. Undefined when it is
 * none.
 */
export function patternOf(text: string): string | undefined {
  if (text === '*') return '*'
  if (/^[A-Z]+$/.test(text)) return `${text} /*`
  return /^(?:[A-Z]+ )?\/\S*$/.test(text) ? text : undefined
}

/** What is free comes first, then the table in its order. */
export function priceRule<Request>(
  price: PriceRule<Request>,
  free: readonly string[],
): PriceRule<Request> {
  if (free.includes('*')) return 0n
  const isTable = typeof price === 'object'
  if (!isTable && free.length === 0) return price
  const priced: readonly (readonly [string, PriceOf<Request>])[] = isTable
    ? Object.entries(price)
    : [['*', price]]
  // The first match counts, so the rest comes last wherever it was written.
  const inOrder = [
    ...free.map((text) => [text, 0n] as const),
    ...priced.filter(([text]) => text !== '*' && !free.includes(text)),
    ...priced.filter(([text]) => text === '*'),
  ]
  return Object.fromEntries(inOrder.map(([text, each]) => [patternOf(text) ?? text, each]))
}
