// What this process has acknowledged of late, in memory: a standby that is promoted may lack it, and gets it back from
// here (see promotion.ts). Per channel, so that many payments on one cost no more than one.
import { type MonotonicClock, monotonic } from '../../platform/time/monotonic.ts'
import type { NumberedKey } from '../../protocol/bound/index.ts'
import {
  type Interval,
  joinIntervals,
  largest,
  subtractInterval,
  type TokenAmount,
} from '../../protocol/index.ts'
import type { OfferedLedger } from '../channels/merge.ts'
import type { BestProof, ChannelName, PaymentLedger } from '../channels/records.ts'

/** Milliseconds for which everything is remembered, unless there are more channels than `mostChannels`. */
export const remembered = 60_000
const mostChannels = 200_000
/** Of a channel, before they are joined. */
const mostIntervals = 64

export interface Acknowledged {
  /** `ledger`: as the channel is known with it. */
  readonly paid: (name: ChannelName, interval: Interval, ledger: PaymentLedger) => void
  readonly givenBack: (name: ChannelName, interval: Interval) => void
  readonly agreed: (name: ChannelName, balance: TokenAmount) => void
  readonly bound: (name: ChannelName, key: NumberedKey) => void
  /** Another one after each of these. */
  readonly version: () => number
  /** Units that nothing here says to have paid are open in them. */
  readonly ledgers: () => ReadonlyMap<ChannelName, OfferedLedger>
}

interface Remembered {
  paid: readonly Interval[]
  highest: TokenAmount
  proof?: BestProof | undefined
  agreedBalance?: TokenAmount
  requestKey?: NumberedKey
}

type Generation = Map<ChannelName, Remembered>

export function rememberAcknowledged(now: MonotonicClock = monotonic): Acknowledged {
  let young: Generation = new Map()
  let old: Generation = new Map()
  let began = now()
  let version = 0
  const of = (name: ChannelName): Remembered => {
    version++
    if (now() - began > remembered || young.size >= mostChannels) {
      ;[young, old, began] = [new Map(), young, now()]
    }
    const found = young.get(name) ?? { paid: [], highest: 0n }
    young.set(name, found)
    return found
  }
  return {
    paid: (name, interval, { claims, proof }) => {
      const known = of(name)
      known.paid = withInterval(known.paid, interval)
      if (claims.highest > known.highest) Object.assign(known, { highest: claims.highest, proof })
    },
    givenBack: (name, interval) => {
      for (const known of [young.get(name), old.get(name)]) {
        if (known) known.paid = subtractInterval(joinIntervals(known.paid), interval)
      }
    },
    agreed: (name, agreedBalance) => Object.assign(of(name), { agreedBalance }),
    bound: (name, requestKey) => Object.assign(of(name), { requestKey }),
    version: () => version,
    ledgers: () => {
      const names = new Set([...old.keys(), ...young.keys()])
      return new Map([...names].map((name) => [name, offered(old.get(name), young.get(name))]))
    },
  }
}

function withInterval(paid: readonly Interval[], next: Interval): readonly Interval[] {
  const last = paid.at(-1)
  if (last?.to === next.from) return [...paid.slice(0, -1), { from: last.from, to: next.to }]
  const all = [...paid, next]
  return all.length > mostIntervals ? joinIntervals(all) : all
}

function offered(old: Remembered | undefined, young: Remembered | undefined): OfferedLedger {
  const paid = joinIntervals([...(old?.paid ?? []), ...(young?.paid ?? [])])
  const highest = largest(old?.highest ?? 0n, young?.highest ?? 0n)
  const best = young?.highest === highest ? young : old
  const agreedBalance = young?.agreedBalance ?? old?.agreedBalance
  const unclaimed = paid.reduce(subtractInterval, [{ from: 0n, to: highest }])
  return {
    claims: { highest, unclaimed: highest === 0n ? [] : unclaimed },
    proof: best?.proof,
    agreedToClose: agreedBalance !== undefined,
    agreedBalance,
    requestKey: young?.requestKey ?? old?.requestKey,
  }
}
