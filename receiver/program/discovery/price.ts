// What an announcement says of prices: a note for a person who browses.
import {
  formatAmount,
  isUraidenError,
  parseAmount,
  smallest,
  type TokenUnit,
} from '../../../protocol/index.ts'

/** `0.005 TKN`, `from 0.005 TKN`; undefined when nothing has a fixed price. */
export function priceNote(prices: readonly string[], token: TokenUnit): string | undefined {
  const amounts = prices.map((text) => amountOf(text, token)).filter((amount) => amount > 0n)
  const [first, ...others] = amounts
  if (first === undefined) return undefined
  const least = smallest(first, ...others)
  const text = formatAmount(least, token)
  return amounts.every((amount) => amount === least) ? text : `from ${text}`
}

/** What cannot be read is found where it is charged. */
function amountOf(text: string, token: TokenUnit): bigint {
  try {
    return parseAmount(text, token)
  } catch (error) {
    if (isUraidenError(error)) return 0n
    throw error
  }
}
