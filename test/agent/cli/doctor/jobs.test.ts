import test from 'ava'
import type { Budget } from '../../../../agent/budget/caps.ts'
import {
  type Asked,
  asPurchases,
  judgeCost,
  judgePrice,
  judgeUnasked,
} from '../../../../agent/cli/doctor/jobs.ts'
import type { Finding } from '../../../../platform/cli/doctor.ts'
import { parseAddress } from '../../../../protocol/index.ts'

const receiver = parseAddress('0x9d80D905bC1E106d5bd0637c12B893c5Ab60CB41')
const token = { symbol: 'TKN', decimals: 3 }
/** 288 times a day. */
const asked: Asked = {
  ...{ job: 'light', every: '*/5 * * * *', receiver, price: 5n },
  mostPrice: undefined,
}

const cases: readonly {
  readonly when: string
  readonly asked?: Partial<Asked>
  readonly budget?: Budget
  readonly verdict: Finding['verdict']
  readonly says: RegExp
}[] = [
  {
    when: 'no cap',
    verdict: 'ok',
    says: /^light costs 0\.005 TKN, about 288 times a day: 1\.44 TKN$/,
  },
  {
    when: 'a job that runs seldom',
    asked: { every: '0 6 * * 0' },
    verdict: 'ok',
    says: /about 0\.14 times a day/,
  },
  {
    when: 'a price above mostPrice',
    asked: { mostPrice: 4n },
    verdict: 'failure',
    says: /more than jobs\.light\.mostPrice of 0\.004 TKN: it buys nothing/,
  },
  {
    when: 'a price above budget.request',
    budget: { request: 4n },
    verdict: 'failure',
    says: /more than budget\.request of 0\.004 TKN/,
  },
  {
    when: 'a price above a cap of the job',
    budget: { jobs: { light: { hour: 4n } } },
    verdict: 'failure',
    says: /more than the budget of light, hour, of 0\.004 TKN/,
  },
  {
    when: 'a price above a cap of the receiver',
    budget: { receivers: { [receiver]: { total: 4n } } },
    verdict: 'failure',
    says: /more than the budget of 0x9d80\w+, total, of 0\.004 TKN/,
  },
  {
    when: 'a day that a cap has no room for',
    budget: { jobs: { light: { day: 1000n } } },
    verdict: 'warning',
    says: /and 1\.44 TKN a day, but the budget of light, day, of 1 TKN is for 200 runs/,
  },
  {
    when: 'a month that a cap has no room for',
    budget: { month: 30n * 1440n - 1n },
    verdict: 'warning',
    says: /but budget\.month, of 43\.199 TKN is for 8639 runs/,
  },
  {
    when: 'an hour that a cap has no room for',
    budget: { hour: 59n },
    verdict: 'warning',
    says: /^light costs 0\.005 TKN, and 0\.06 TKN an hour, but budget\.hour, of 0\.059 TKN is for 11 runs/,
  },
  {
    when: 'a busy hour of a day that is quiet',
    asked: { every: '* 8 * * *' },
    budget: { day: 300n, jobs: { light: { hour: 299n } } },
    verdict: 'warning',
    says: /and 0\.3 TKN an hour, but the budget of light, hour, of 0\.299 TKN is for 59 runs/,
  },
  { when: 'an hour that has room', budget: { hour: 60n }, verdict: 'ok', says: /./ },
  { when: 'caps that are enough', budget: { day: 1440n, request: 5n }, verdict: 'ok', says: /./ },
]

for (const { when, asked: change, budget = {}, verdict, says } of cases) {
  test(`the price of a job with ${when}`, (t) => {
    const found = judgePrice({ ...asked, ...change }, budget, token)
    t.is(found.verdict, verdict, found.says)
    t.regex(found.says, says)
  })
}

test('of a job that is no GET it says why its price is not known, and what limits it', (t) => {
  const post = { name: 'light', method: 'POST' }
  const cause =
    /^light is not asked for its price: without a payment a POST might already do something/
  const free = judgeUnasked(post, {}, token)
  t.is(free.verdict, 'warning')
  t.regex(free.says, cause)
  t.regex(free.says, /Nothing limits it: set mostPrice of the job, or budget\.request/)
  t.like(judgeUnasked({ ...post, mostPrice: 4n }, { request: 5n }, token), {
    verdict: 'ok',
    says: 'light is not asked for its price: without a payment a POST might already do something. It pays at most 0.004 TKN, jobs.light.mostPrice',
  })
  t.regex(judgeUnasked(post, { request: 5n }, token).says, /at most 0\.005 TKN, budget\.request$/)
})

test('what all jobs come to in a day and in a year is held against the day’s budget', (t) => {
  const both = [asked, { ...asked, job: 'rain', every: '0 0 * * *', price: 60n }]
  t.deepEqual(judgeCost(both, { day: 1500n }, token), {
    verdict: 'ok',
    says: 'jobs buy for about 1.5 TKN a day, 548 TKN a year',
  })
  t.is(judgeCost(both, { day: 1499n }, token)?.verdict, 'warning')
  t.is(judgeCost([], {}, token), undefined)
})

test('transactions are forecast as if each job had bought once', (t) => {
  t.like(asPurchases([asked]), [{ job: 'light', cost: 5n, channel: `${receiver}/0` }])
})
