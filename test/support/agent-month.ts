// Thirty days of an agent's life, always the same, as its page is told of them: for pictures, and for what needs
// much data. No daemon, no chain.

import type { ExecutionContext } from 'ava'
import type { HourSum } from '../../agent/channels/hours.ts'
import type { JobStatus } from '../../agent/jobs/types.ts'
import type { CommandHandlers } from '../../agent/program/control/server.ts'
import type { DaemonStatus } from '../../agent/program/control/status.ts'
import { startPage } from '../../agent/program/page/server.ts'
import { spendingCsv, spendingOf } from '../../agent/program/page/spending.ts'
import { type PageFacts, pageState, receiverNames } from '../../agent/program/page/view.ts'
import type { PurchaseRecord } from '../../agent/purchase/history.ts'
import { day, hour } from '../../platform/time/clock.ts'
import { addressOfKey, fromHex } from '../../protocol/index.ts'
import { seededRandom } from '../lab/random/random.ts'
import { pageToken } from './agent-page.ts'

/** The afternoon on which all of it is looked at. */
export const monthEnd = Date.UTC(2026, 10, 28, 15, 24)

const minute = 60_000
const milli = 10n ** 15n
const token = { symbol: 'TKN', decimals: 18 }
const address = (digits: string) => addressOfKey(fromHex(`0x${digits.repeat(32)}`))
const [account, livingRoom, weatherStation, library] = ['11', '22', '33', '44'].map(address) as [
  ReturnType<typeof address>,
  ReturnType<typeof address>,
  ReturnType<typeof address>,
  ReturnType<typeof address>,
]

const receivers: PageFacts['receivers'] = {
  'living-room': { url: 'http://192.168.1.104:5000', address: livingRoom },
  'weather-station': { url: 'https://weather.example.net', address: weatherStation },
}

interface Buying {
  readonly buyer: string
  readonly receiver: string
  readonly price: bigint
  /** Purchases in an hour of the day. */
  readonly often: (hourOfDay: number, random: number) => number
}

const buying: readonly Buying[] = [
  { buyer: 'temperature', receiver: livingRoom, price: 5n * milli, often: () => 12 },
  { buyer: 'humidity', receiver: livingRoom, price: 5n * milli, often: () => 2 },
  {
    buyer: 'forecast',
    receiver: weatherStation,
    price: 100n * milli,
    often: (at) => (at === 6 || at === 12 ? 1 : 0),
  },
  {
    buyer: 'proxy/wiki',
    receiver: library,
    price: 20n * milli,
    often: (at, random) => (at >= 8 && at <= 21 ? Math.floor(random * 5) : 0),
  },
  {
    buyer: '',
    receiver: library,
    price: 20n * milli,
    often: (_, random) => (random > 0.97 ? 3 : 0),
  },
]

/** Sums by the hour of thirty days; on one of them the living room was away. */
export function monthOfSums(now = monthEnd): readonly HourSum[] {
  const random = seededRandom(7)
  const first = Math.floor(now / day) * day - 29 * day
  const rows: HourSum[] = []
  for (let start = first; start <= now; start += hour) {
    const part = Math.min(1, (now - start) / hour)
    for (const { buyer, receiver, price, often } of buying) {
      const away = receiver === livingRoom && Math.floor((now - start) / day) === 11
      const count = Math.floor(often((start % day) / hour, random()) * part)
      if (count === 0) continue
      rows.push({
        ...{ start, buyer, receiver },
        spent: away ? 0n : price * BigInt(count),
        purchases: away ? 0 : count,
        failures: away ? count : 0,
      })
    }
  }
  return rows
}

function job(change: Partial<JobStatus> & Pick<JobStatus, 'name'>, now: number): JobStatus {
  const last = { began: now - 2 * minute, ended: now - 2 * minute, kind: 'done', authentic: true }
  return {
    target: `living-room/sensors/${change.name}`,
    every: '5m',
    state: 'waiting',
    next: now + 3 * minute,
    failures: 0,
    sinks: [],
    last: { ...last, kind: 'done', cost: `${5n * milli}` },
    ...change,
  }
}

function jobs(now: number): readonly JobStatus[] {
  const random = seededRandom(3)
  const curve = (middle: number, swing: number) =>
    Array.from({ length: 48 }, (_, at) => {
      return Math.round((middle + swing * Math.sin(at / 7) + random() * swing * 0.3) * 10) / 10
    })
  const celsius = curve(21.5, 1.6)
  const percent = curve(44, 5)
  const away = { code: 'receiver_unreachable', message: 'living-room does not answer.' }
  const spent = {
    code: 'budget_day_spent',
    message:
      'This costs 0.1 TKN, but of the budget of 0.2 TKN a day for the job forecast only 0 TKN are left.',
    scope: 'job/forecast',
    window: 'day',
    needed: `${100n * milli}`,
    until: Math.ceil(now / day) * day,
  } as const
  return [
    job({ name: 'temperature', values: { numbers: celsius, last: `${celsius.at(-1)}` } }, now),
    job(
      {
        ...{ name: 'humidity', every: '30m', next: now + 6 * minute },
        values: { numbers: percent, last: `${percent.at(-1)}` },
      },
      now,
    ),
    job(
      {
        ...{ name: 'forecast', every: '0 6,12,18 * * *', target: 'weather-station/v2/forecast' },
        ...{ state: 'budgetSpent', spent, next: Math.ceil(now / day) * day + 6 * hour },
        values: { numbers: [], last: 'Rain from the west by noon, 9 to 12 °C, wind 4 Bft' },
      },
      now,
    ),
    job(
      {
        ...{ name: 'door', every: '1m', state: 'slowed', failures: 12, next: now + 8 * minute },
        last: { began: now - minute, ended: now - minute, kind: 'failed', error: away },
        values: { numbers: [], last: 'closed' },
      },
      now,
    ),
  ]
}

function channel(
  change: Partial<DaemonStatus['channels'][number]>,
): DaemonStatus['channels'][number] {
  return {
    ...{ receiver: livingRoom, openBlock: 2_684_940, openTransaction: '0x00', exact: false },
    ...{ deposit: 9000n * milli, balance: 5210n * milli, bound: 5210n * milli },
    ...{ signed: 5210n * milli, top: 5210n * milli, free: [] },
    state: 'open',
    ...{ certain: true, mayBeOld: false, inDoubt: false },
    ...change,
  }
}

function limits(now: number): NonNullable<DaemonStatus['budget']>['limits'] {
  const today = monthOfSums(now).filter(({ start }) => start >= Math.floor(now / day) * day)
  const month = monthOfSums(now).filter(({ start }) => start >= Date.UTC(2026, 10, 1))
  const sum = (rows: readonly HourSum[]) => rows.reduce((all, { spent }) => all + spent, 0n)
  return [
    { scope: 'all', window: 'hour', cap: 500n * milli, used: 70n * milli },
    { scope: 'all', window: 'day', cap: 2500n * milli, used: sum(today) },
    { scope: 'all', window: 'month', cap: 80_000n * milli, used: sum(month) },
    { scope: 'all', window: 'total', cap: 500_000n * milli, used: sum(month) },
    { scope: `receiver/${livingRoom}`, window: 'day', cap: 2000n * milli, used: 1180n * milli },
    { scope: 'job/forecast', window: 'day', cap: 200n * milli, used: 200n * milli },
    { scope: 'job/proxy/wiki', window: 'day', cap: 600n * milli, used: 560n * milli },
  ]
}

function purchases(now: number): readonly PurchaseRecord[] {
  const random = seededRandom(5)
  return Array.from({ length: 50 }, (_, at) => {
    const wiki = random() > 0.8
    const failed = random() > 0.93
    const receiver = wiki ? library : livingRoom
    const path = wiki ? '/wiki/Payment_channel' : '/sensors/temperature'
    const url = `${wiki ? 'https://library.example.org' : 'http://192.168.1.104:5000'}${path}`
    return {
      ...{ time: now - (50 - at) * 4 * minute, method: 'GET', url, authentic: !wiki },
      ...{ status: failed ? 503 : 200, cost: failed ? 0n : wiki ? 20n * milli : 5n * milli },
      ...{ channel: `${receiver}/2684940`, balance: 5210n * milli },
      job: wiki ? 'proxy/wiki' : 'temperature',
    } as const
  })
}

export function monthOfStatus(now = monthEnd): DaemonStatus {
  const trouble = {
    level: 'error',
    ...{ message: 'job door keeps failing', code: 'receiver_unreachable' },
    reason: 'living-room does not answer.',
    hint: 'See whether it runs and can be reached from here.',
  } as const
  return {
    ...{
      pid: 812,
      started: now - 16 * day,
      paused: false,
      address: account,
      key: 'keystore',
      token,
    },
    configuration: { file: 'agent.yaml', loaded: now - 16 * day, refused: undefined },
    waiting: undefined,
    jobs: jobs(now),
    channels: [
      channel({}),
      channel({ receiver: weatherStation, openBlock: 2_690_112, deposit: 8000n * milli }),
      channel({ receiver: library, openBlock: 2_701_554, deposit: 6000n * milli }),
    ],
    clock: undefined,
    budget: { reserved: 0n, total: undefined, limits: limits(now), transactions: [] },
    transactions: {
      by: 'history',
      counts: { opened: 0, toppedUp: 2, closed: 0, others: 0, fee: 2n * 10n ** 14n },
    },
    behaviour: [],
    card: { mode: 'gentle', flushed: now - 22 * minute },
    proxy: undefined,
    page: undefined,
    counters: { payments: 6154, refusals: 31, failures: 147 },
    troubles: [
      { time: now - 9 * hour, level: 'warn', message: 'the node was away for 3 minutes' },
      { time: now - 96 * minute, ...trouble },
    ],
  }
}

/** The page of such an agent, as its daemon serves it. Closed when the test ends. */
export async function startMonthPage(t: ExecutionContext, change: Partial<DaemonStatus> = {}) {
  const key = 'the-key-of-the-page'
  const now = monthEnd
  const rows = monthOfSums()
  const facts = {
    status: { ...monthOfStatus(), ...change },
    purchases: purchases(now),
    holdings: { tokens: `${41_500n * milli}`, ether: `${31n * milli}`, problem: null },
    ...{ receivers, now, units: new Map(Object.entries({ temperature: '°C', humidity: '%' })) },
    rows: rows.filter(({ start }) => start > now - 8 * day),
    freeAt: () => Math.ceil(now / day) * day,
  }
  const server = await startPage({
    ...{ port: 0, key, token: () => pageToken },
    state: (about) => pageState({ ...about, ...facts }),
    spending: () => spendingOf(rows, now),
    spendingCsv: () => spendingCsv(rows, token, receiverNames(receivers)),
    handlers: {} as CommandHandlers,
    placeOf: async () => undefined,
    onAction: () => undefined,
    onDefect: (error) => t.fail(String(error)),
  })
  t.teardown(server.close)
  return { url: `http://127.0.0.1:${server.port}/#key=${key}`, rows, facts }
}
