// What gas has cost in the last week, looked at once for each new block.
import type { BlockNumber } from '../../protocol/index.ts'

const hour = 3_600_000

const hoursKept = 7 * 24

export interface GasPriceWatch {
  /** To be called with every look at the chain. A node that does not say changes nothing. */
  readonly refresh: (head: BlockNumber) => Promise<void>
  /** For a unit of gas, in wei; undefined before the first look. */
  readonly now: () => bigint | undefined
  /** The highest of the last week, as far as this process has seen it. */
  readonly highest: () => bigint | undefined
}

/** `clock` is milliseconds that only grow. */
export function watchGasPrice(
  ask: () => Promise<bigint>,
  clock: () => number = () => performance.now(),
): GasPriceWatch {
  /** The highest of each hour. */
  const hours = new Map<number, bigint>()
  let seen: { readonly head: BlockNumber; readonly price: bigint } | undefined
  return {
    refresh: async (head) => {
      if (seen?.head === head) return
      const price = await ask().catch(() => undefined)
      if (price === undefined) return
      seen = { head, price }
      const current = Math.floor(clock() / hour)
      if (price > (hours.get(current) ?? 0n)) hours.set(current, price)
      for (const each of hours.keys()) if (each <= current - hoursKept) hours.delete(each)
    },
    now: () => seen?.price,
    highest: () =>
      [...hours.values()].reduce<bigint | undefined>(
        (most, price) => (most === undefined || price > most ? price : most),
        undefined,
      ),
  }
}
