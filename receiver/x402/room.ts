// How much strangers may have settled: each settlement costs the receiver gas, or a question to its facilitator.
import type { Address } from '../../protocol/index.ts'

export interface SettlementLimits {
  /** Settlements under way. Default 32. */
  readonly most?: number | undefined
  /** The same of one payer. Default 4. */
  readonly mostPerPayer?: number | undefined
  /** Payments in a minute that turn out not to be good only when the chain is asked, of all payers. Default 60. */
  readonly mostRefused?: number | undefined
  /** Settlements in an hour that fail on the chain and cost gas for nothing. Default 10. */
  readonly mostFailed?: number | undefined
}

export interface SettlementRoom {
  /** What gives the place back; undefined when there is none. */
  readonly take: (payer: Address) => (() => void) | undefined
  /** It was not good, which only the chain could tell. */
  readonly refused: () => void
  /** It was sent, and failed. */
  readonly failed: () => void
  readonly waiting: () => number
}

const minute = 60_000
const hour = 3_600_000

/** @param now milliseconds that only grow */
export function createSettlementRoom(
  { most = 32, mostPerPayer = 4, mostRefused = 60, mostFailed = 10 }: SettlementLimits,
  now: () => number = () => performance.now(),
): SettlementRoom {
  const underWay = new Map<Address, number>()
  let waiting = 0
  const refusals = countIn(minute, now)
  const failures = countIn(hour, now)
  return {
    take: (payer) => {
      const own = underWay.get(payer) ?? 0
      if (waiting >= most || own >= mostPerPayer) return undefined
      if (refusals.count() >= mostRefused || failures.count() >= mostFailed) return undefined
      waiting++
      underWay.set(payer, own + 1)
      return () => {
        waiting--
        const left = (underWay.get(payer) ?? 1) - 1
        if (left > 0) underWay.set(payer, left)
        else underWay.delete(payer)
      }
    },
    refused: refusals.add,
    failed: failures.add,
    waiting: () => waiting,
  }
}

/** In whole spans of so many milliseconds. */
function countIn(span: number, now: () => number) {
  let begun = now()
  let count = 0
  const look = () => {
    if (now() - begun < span) return
    begun = now()
    count = 0
  }
  return {
    add: () => {
      look()
      count++
    },
    count: () => {
      look()
      return count
    },
  }
}
