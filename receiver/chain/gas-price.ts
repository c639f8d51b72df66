// What gas has cost in the last week, looked at once for each new block. It is on disk: whoever could make the
// receiver forget a dear day, by having it end, would have it keep too little ether for its answers.
import type { DataFee } from '../../platform/chain/index.ts'
import type { ChainBlock } from '../../protocol/index.ts'

const hour = 3_600_000

const hoursKept = 7 * 24

export interface GasPriceWatch {
  /** To be called with every look at the chain. A node that does not say changes nothing. */
  readonly refresh: (head: ChainBlock) => Promise<void>
  /** For a unit of gas and its data, in wei; undefined before the first look. */
  readonly now: () => bigint | undefined
  /** The highest of the last week, as far as it was looked at. */
  readonly highest: () => bigint | undefined
}

/** The highest price of each hour, which are numbered since 1970; in wei. */
export type GasPrices = ReadonlyMap<number, bigint>

export interface GasPriceMemory {
  /** Of earlier runs. */
  readonly known?: GasPrices
  /** Called when a price is the highest of its hour. */
  readonly keep?: (prices: GasPrices) => void
  /** Unix time in milliseconds. */
  readonly now?: () => number
}

/** What an answer costs for a unit of its gas, in wei. */
export interface AnswerPrice {
  /** Now, with the fee for its data. Throws as the node does. */
  readonly ask: () => Promise<bigint>
  /** Of that, for the data; as it was asked last. */
  readonly data: () => bigint
}

/** For answers of so much gas, of which each has so many bytes. */
export function priceOfAnswers(
  gasPrice: () => Promise<bigint>,
  dataFee: DataFee,
  { gas, bytes }: { readonly gas: bigint; readonly bytes: number },
): AnswerPrice {
  let data = 0n
  return {
    ask: async () => {
      const [price, fee] = await Promise.all([gasPrice(), dataFee(bytes)])
      data = (fee + gas - 1n) / gas
      return price + data
    },
    data: () => data,
  }
}

export function watchGasPrice(
  ask: () => Promise<bigint>,
  { known, keep, now: clock = Date.now }: GasPriceMemory = {},
): GasPriceWatch {
  const hours = new Map(known)
  let seen: { readonly head: ChainBlock; readonly price: bigint } | undefined
  return {
    refresh: async (head) => {
      if (seen?.head === head) return
      const price = await ask().catch(() => undefined)
      if (price === undefined) return
      seen = { head, price }
      const current = Math.floor(clock() / hour)
      for (const each of hours.keys()) if (each <= current - hoursKept) hours.delete(each)
      if (price <= (hours.get(current) ?? -1n)) return
      hours.set(current, price)
      keep?.(hours)
    },
    now: () => seen?.price,
    highest: () =>
      [...hours.values()].reduce<bigint | undefined>(
        (most, price) => (most === undefined || price > most ? price : most),
        undefined,
      ),
  }
}
