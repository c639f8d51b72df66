// How often somebody may ask for what costs us something.
import { addressGroup, createKnown } from './address-group.ts'

export interface RateLimits {
  /** In a minute, of one address; not of this machine's own. */
  readonly perAddress: number
  /** In a minute, of all together. */
  readonly most: number
  /** Addresses of proxies, which ask for many. */
  readonly proxies?: readonly string[] | undefined
}

/** False when it is too much. */
export type Rate = (address: string | undefined) => boolean

const minute = 60_000

/** Counts in whole minutes: what is remembered ends with them. */
export function createRate(
  { perAddress, most, proxies = [] }: RateLimits,
  now: () => number = () => performance.now(),
): Rate {
  const isKnown = createKnown(proxies)
  const counts = new Map<string, number>()
  let begun = now()
  let all = 0
  return (address) => {
    if (now() - begun >= minute) {
      begun = now()
      all = 0
      counts.clear()
    }
    const group = isKnown(address) ? undefined : addressGroup(address)
    const own = group === undefined ? 0 : (counts.get(group) ?? 0)
    if (all >= most || own >= perAddress) return false
    all++
    if (group !== undefined) counts.set(group, own + 1)
    return true
  }
}
