// While nobody looks at the chain all channels together may owe only so much. Processes that share them cannot ask
// each other for each payment: of what was left at the last round that went well each may take the same share.
import { type MonotonicClock, monotonic } from '../../platform/time/monotonic.ts'
import { largest, type TokenAmount } from '../../protocol/index.ts'
import type { ChannelName } from '../channels/records.ts'

/** The last round of the leader that went well. */
export interface LastRound {
  /** What all channels owed then. */
  readonly due: TokenAmount
  /** Whatever was written before this, by our own clock, is in it. */
  readonly at: number
  /** How many processes shared the channels then. */
  readonly processes: number
  /** Whether this one was among them: who has come since then has no share. */
  readonly isCounted: boolean
}

/** What a payment would make a channel owe more. */
export interface OfferedBalance {
  readonly name: ChannelName
  readonly balance: TokenAmount
  /** The highest that the channel is known to have, at most what it has. */
  readonly highest: TokenAmount
}

export interface OutageShare {
  /**
   * Takes what a payment needs of the share; undefined when that is not there. What it gives is to be told whether
   * the payment was claimed.
   */
  readonly take: (offered: OfferedBalance) => ((claimed: boolean) => void) | undefined
  /** Nothing is left of it. */
  readonly isSpent: () => boolean
  readonly heard: (round: LastRound) => void
  /** Until it is said, there is no outage. */
  readonly answersBy: (answers: () => boolean) => void
}

interface Taken {
  readonly at: number
  sum: TokenAmount
}

/** Payments of a channel on their way. */
interface Under {
  highest: TokenAmount
  readonly balances: Set<{ readonly balance: TokenAmount }>
}

/** Milliseconds that are counted together. */
const grain = 100

export function createOutageShare(
  mostInAll: TokenAmount,
  now: MonotonicClock = monotonic,
): OutageShare {
  const underWay = new Map<ChannelName, Under>()
  let taken: Taken[] = []
  let reserved = 0n
  let used = 0n
  let share = 0n
  let answers = () => true
  const left = () => share - reserved - used
  const change = (under: Under, work: () => void) => {
    reserved -= reservedBy(under)
    work()
    reserved += reservedBy(under)
  }
  const note = (increase: TokenAmount) => {
    const at = now()
    const last = taken.at(-1)
    used += increase
    // Never older than it is: what is forgotten too late only makes the share smaller.
    if (last !== undefined && at <= last.at) last.sum += increase
    else taken.push({ at: at + grain, sum: increase })
  }
  return {
    take: ({ name, balance, highest }) => {
      const under: Under = underWay.get(name) ?? { highest, balances: new Set() }
      // Others may have paid on it meanwhile.
      change(under, () => (under.highest = largest(under.highest, highest)))
      const more = balance - under.highest - reservedBy(under)
      if (more > 0n && more > left() && !answers()) return undefined
      const offered = { balance }
      change(under, () => under.balances.add(offered))
      underWay.set(name, under)
      return (claimed) => {
        change(under, () => {
          under.balances.delete(offered)
          if (!claimed || balance <= under.highest) return
          note(balance - under.highest)
          under.highest = balance
        })
        if (under.balances.size === 0) underWay.delete(name)
      }
    },
    isSpent: () => !answers() && left() <= 0n,
    heard: ({ due, at, processes, isCounted }) => {
      share = isCounted ? largest(mostInAll - due, 0n) / BigInt(processes) : 0n
      for (const each of taken) if (each.at < at) used -= each.sum
      taken = taken.filter((each) => each.at >= at)
    },
    answersBy: (look) => {
      answers = look
    },
  }
}

function reservedBy({ highest, balances }: Under): TokenAmount {
  let top = highest
  for (const { balance } of balances) if (balance > top) top = balance
  return top - highest
}
