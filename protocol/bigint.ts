// What Math.max, Math.min and a comparison do for numbers.

/** The largest of them. */
export function largest(first: bigint, ...others: readonly bigint[]): bigint {
  return others.reduce((found, each) => (each > found ? each : found), first)
}

/** The smallest of them; a bound that is undefined does not bind. */
export function smallest(first: bigint, ...others: readonly (bigint | undefined)[]): bigint {
  return others.reduce<bigint>(
    (found, each) => (each !== undefined && each < found ? each : found),
    first,
  )
}

/** For `sort`, in rising order. */
export function compareBigints(a: bigint, b: bigint): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
