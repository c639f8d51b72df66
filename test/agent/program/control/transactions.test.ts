import test from 'ava'
import { depositsFor, depositsWorth } from '../../../../agent/channels/choose.ts'
import { channelName } from '../../../../agent/channels/records.ts'
import {
  type RateSettings,
  rateText,
  transactionRate,
} from '../../../../agent/program/control/transactions.ts'
import type { PurchaseRecord } from '../../../../agent/purchase/history.ts'
import { otherReceiver, receiver } from '../../../support/ledger.ts'

const gwei = 10n ** 9n
const ether = 10n ** 18n

function bought(job: string, cost: bigint, whom = receiver): PurchaseRecord {
  const channel = channelName(whom, 7)
  return { time: 0, method: 'GET', url: 'http://a/b', status: 200, cost, channel, balance: 0n, job }
}

const minutely = { name: 'minutely', every: '* * * * *' }
const daily = { name: 'daily', every: '0 6 * * *' }
const usual = {
  jobs: [minutely],
  deposit: {},
  budget: {},
  funding: 'erc223',
} as const satisfies RateSettings

interface Case {
  readonly when: string
  readonly purchases?: readonly PurchaseRecord[]
  readonly settings?: Partial<RateSettings>
  readonly gasPrice?: bigint | undefined
  readonly says: string
}

// 1440 purchases of 5 a day. A top-up takes 47 400 gas.
const cases: readonly Case[] = [
  {
    when: 'a week’s deposit lasts to its last quarter',
    says: 'about 1 transaction a week, 0.000063 ETH',
  },
  {
    when: 'two jobs of one receiver share a channel',
    purchases: [bought('minutely', 5n), bought('daily', 5n)],
    settings: { jobs: [minutely, daily] },
    says: 'about 1 transaction a week, 0.000063 ETH',
  },
  {
    when: 'two receivers have a channel each',
    purchases: [bought('minutely', 5n), bought('daily', 700n, otherReceiver)],
    settings: { jobs: [minutely, daily] },
    says: 'about 3 transactions a week, 0.00013 ETH',
  },
  {
    when: 'deposits are five prices: each holds three payments until two are left',
    settings: { deposit: depositsFor(0) },
    says: 'about 480 transactions a day, 0.023 ETH',
  },
  {
    when: 'a deposit may hold less than a week’s use',
    settings: { deposit: { most: 3600n } },
    says: 'about 2 transactions a day, 0.000095 ETH',
  },
  {
    when: 'the budget of a day is less',
    settings: { budget: { day: 7200n, total: 100_000n } },
    says: 'about 1 transaction a day, 0.000047 ETH',
  },
  {
    when: 'a deposit has to be worth its fee',
    // Of 0.0000474 ETH: 237 000 units.
    settings: { deposit: depositsWorth({ feeShare: 100n, etherPrice: 50_000_000n }) },
    says: 'about 11 transactions a year, 0.00053 ETH',
  },
  {
    when: 'little is bought',
    settings: { jobs: [{ name: 'minutely', every: '0 6 1 1-9 *' }] },
    says: 'about 3 transactions a year, 0.00014 ETH',
  },
  {
    when: 'hardly anything is bought',
    settings: { jobs: [{ name: 'minutely', every: '0 6 1 1 *' }] },
    says: 'less than one transaction a year',
  },
  {
    when: 'an approval is a transaction',
    settings: { funding: 'approve' },
    says: 'about 3 transactions a week, 0.00012 ETH',
  },
  {
    when: 'receivers relay',
    settings: { funding: 'relay' },
    says: 'no transactions of its own',
  },
  {
    when: 'no transaction has shown what gas costs',
    gasPrice: undefined,
    says: 'about 1 transaction a week',
  },
  {
    when: 'the last purchase was free, and the price is that of the one before',
    purchases: [bought('minutely', 5n), bought('minutely', 0n)],
    says: 'about 1 transaction a week, 0.000063 ETH',
  },
  {
    when: 'no job has bought',
    purchases: [bought('another', 5n)],
    says: 'how many transactions there will be is not known before jobs have bought',
  },
]

for (const given of cases) {
  const { when, purchases = [bought('minutely', 5n)], settings, says } = given
  test(`forecast: ${when}`, (t) => {
    const gasPrice = 'gasPrice' in given ? given.gasPrice : gwei
    const facts = { lastWeek: undefined, gasPrice }
    t.is(rateText(transactionRate(facts, purchases, { ...usual, ...settings })), says)
  })
}

test('who asks may know what gas costs', (t) => {
  const facts = { lastWeek: undefined, gasPrice: undefined }
  const rate = transactionRate(facts, [bought('minutely', 5n)], usual)
  t.is(rateText(rate, gwei), 'about 1 transaction a week, 0.000063 ETH')
})

const nothing = { opened: 0, toppedUp: 0, closed: 0, others: 0, fee: 0n }

for (const [counts, says] of [
  [{}, 'no transactions in the last 7 days'],
  [{ opened: 1, fee: ether / 10_000n }, '1 transaction in the last 7 days (1 opening), 0.0001 ETH'],
  [
    { opened: 2, toppedUp: 1, closed: 1, others: 3, fee: 123_456n },
    '7 transactions in the last 7 days (2 openings, 1 top-up, 1 close, 3 others), 0.00000000000012 ETH',
  ],
] as const) {
  test(`history: ${says}`, (t) => {
    const lastWeek = { ...nothing, ...counts }
    // What is known of the last days counts, whatever jobs would make of it.
    const rate = transactionRate({ lastWeek, gasPrice: gwei }, [bought('minutely', 5n)], usual)
    t.is(rateText(rate), says)
  })
}
