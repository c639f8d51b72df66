// A month in the life of a shop, the same for each seed: for pictures and tests of the dashboard.
import { type Address, parseAddress, type TokenAmount } from '../../protocol/index.ts'
import type { Channel } from '../../receiver/channels/records.ts'
import type { IncomeHour } from '../../receiver/income/history.ts'
import { type Counts, type Hours, lengthOf, listed } from '../../receiver/income/traffic.ts'
import type { Traffic } from '../../receiver/income/traffic-recorder.ts'
import { seededRandom } from '../lab/random/random.ts'

const milli = 10n ** 15n
const hour = 3600

/** What is sold: by day more than at night, where people ask. */
const goods = [
  { path: '/sensors/temperature', price: 5n * milli, perHour: 60, byDay: false },
  { path: '/archive/*', price: 20n * milli, perHour: 6, byDay: true },
  { path: '/api/*', price: milli, perHour: 240, byDay: true },
] as const

const names = ['kitchen', 'greenhouse', 'cellar'] as const

export interface Month {
  readonly income: readonly IncomeHour[]
  readonly traffic: Traffic
  readonly channels: readonly Channel[]
  readonly buyers: ReadonlyMap<Address, string>
}

/** The thirty days before `now`, in Unix seconds. */
export function thirtyDays(now: number, seed = 1): Month {
  const random = seededRandom(seed)
  const hours = new Map<number, ReadonlyMap<string, Counts>>()
  const income: IncomeHour[] = []
  let total = 0n
  const first = beginning(now) - 719 * hour
  for (let start = first; start <= now; start += hour) {
    const paths = new Map(
      goods.map((each) => [
        each.path,
        countsOf(each, { start, age: (start - first) / (720 * hour) }, random),
      ]),
    )
    for (const counts of paths.values()) total += counts.income
    hours.set(start, paths)
    income.push({ start, total })
  }
  const channels = channelsOf(total, random)
  return {
    income,
    traffic: trafficOf(hours, now),
    channels,
    buyers: new Map(names.map((name, at) => [channels[at]?.sender ?? never(), name])),
  }
}

function beginning(now: number): number {
  return Math.floor(now / hour) * hour
}

function countsOf(
  { price, perHour, byDay }: (typeof goods)[number],
  { start, age }: { readonly start: number; readonly age: number },
  random: () => number,
): Counts {
  const time = new Date(start * 1000).getUTCHours()
  const rhythm = byDay ? 0.15 + Math.max(0, Math.sin(((time - 6) / 16) * Math.PI)) : 1
  const growth = 0.6 + 0.4 * age
  const paid = Math.round(perHour * rhythm * growth * (0.7 + 0.6 * random()))
  // One bad night: the sensor did not answer, and one buyer had no deposit left.
  const isBad = Math.floor(start / 86_400) % 11 === 3 && time < 5
  const failed = isBad ? Math.round(paid * 0.6) : Math.round(random() * 0.6)
  const refused = {
    payment_required: Math.round(paid * 0.04 * random()),
    ...(random() < 0.06 && { balance_over_deposit: 1 + Math.round(random() * 5) }),
    ...(random() < 0.03 && { insufficient_confirmations: 1 + Math.round(random() * 2) }),
  }
  const served = paid - Math.min(paid, failed)
  return { paid: served, income: BigInt(served) * price, failed, repeated: 0, refused }
}

function channelsOf(total: TokenAmount, random: () => number): readonly Channel[] {
  const states = ['open', 'open', 'open', 'open', 'closing', 'settled', 'settled'] as const
  return states.map((state, at): Channel => {
    const highest = (total / 9n / milli) * milli - BigInt(Math.round(random() * 900)) * milli
    const withdrawn = state === 'settled' ? highest : 0n
    const digits = Array.from({ length: 40 }, () => Math.floor(random() * 16).toString(16))
    return {
      sender: parseAddress(`0x${digits.join('')}`),
      openBlock: 2_684_940 + at * 1207,
      deposit: (highest / (10n * milli * 1000n) + 1n) * 10n * milli * 1000n,
      ...{ withdrawn, state },
      claims: { highest, unclaimed: [] },
      agreedToClose: false,
    }
  })
}

function trafficOf(hours: Hours, now: number): Traffic {
  return {
    count: () => undefined,
    counts: async (by, count) => {
      const last = Math.floor(now / lengthOf[by]) * lengthOf[by]
      return listed(hours, by, last - (count - 1) * lengthOf[by])
    },
    stop: async () => undefined,
  }
}

function never(): never {
  throw new Error('there are fewer channels than names')
}
