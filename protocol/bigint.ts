// What Math.max, Math.min and a comparison do for numbers.

/**
 * The largest of them.
 * @example
 * largest(2n, 5n, 3n) // 5n
 */
export function largest(first: bigint, ...others: readonly bigint[]): bigint {
  return others.reduce((found, each) => (each > found ? each : found), first)
}

/**
 * The smallest of them; a bound that is undefined does not bind.
 * @example
 * smallest(2n, undefined, 1n) // 1n
 */
export function smallest(first: bigint, ...others: readonly (bigint | undefined)[]): bigint {
  return others.reduce<bigint>(
    (found, each) => (each !== undefined && each < found ? each : found),
    first,
  )
}

/**
 * For `sort`, in rising order.
 * @example
 * [3n, 1n, 2n].sort(compareBigints) // [1n, 2n, 3n]
 */
export function compareBigints(a: bigint, b: bigint): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
