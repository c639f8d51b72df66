// From the prices of a configuration to those of the paywall.
/**
 * The paywall's pattern for what a person writes: `GET` alone is every path. Undefined when it is
 * none.
 */
export function patternOf(text: string): string | undefined {
  if (text === '*') return '*'
  if (/^[A-Z]+$/.test(text)) return `${text} /*`
  return /^(?:[A-Z]+ )?\/\S*$/.test(text) ? text : undefined
}
