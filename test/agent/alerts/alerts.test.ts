// What an owner is told: once, and once that it is over.
import test from 'ava'
import { type AlertFacts, type AlertRules, conditionsOf } from '../../../agent/alerts/conditions.ts'
import { step, type Told, toldIn } from '../../../platform/alerts/told.ts'
import { receiver } from '../../support/ledger.ts'

const rules: AlertRules = {
  jobFailing: 10,
  budget: 9000n,
  receivers: true,
  disk: 100_000_000,
  ether: 10n ** 16n,
  tokens: 1000n,
}

const well: AlertFacts = {
  jobs: [],
  limits: [],
  behaviour: [],
  account: { tokens: 5000n, ether: 10n ** 18n },
  free: 10 ** 10,
  token: { symbol: 'TKN', decimals: 2 },
  nameOf: (address) => (address === receiver ? 'hall' : undefined),
}

const job = (failures: number, code = 'receiver_failing') => {
  const error = { code, message: `it says ${code}.` }
  return { name: 'a', failures, last: { began: 0, ended: 1, kind: 'failed' as const, error } }
}
const day = (used: bigint) => ({ scope: 'all', window: 'day', cap: 1000n, used }) as const
const trouble = { receiver, refused: 3, overcharged: 0, broken: 0, score: 3 }

for (const [what, change, alert, subject, text] of [
  [
    'a job fails',
    { jobs: [job(10)] },
    'job_failing',
    'a',
    /a has failed 10 times in a row: it says/,
  ],
  [
    'a budget is nearly spent',
    { limits: [day(900n)] },
    'budget',
    'all day',
    /90 % .* 10 TKN a day/,
  ],
  [
    'a receiver is another one',
    { jobs: [job(1, 'receiver_changed')] },
    ...(['receiver_changed', 'a', /not the one it should be/] as const),
  ],
  [
    'a receiver takes payments and gives nothing',
    {
      behaviour: [
        { ...trouble, last: { code: 'x', time: 0 }, trust: 'leftAlone', leftAloneUntil: 1 },
      ],
    },
    ...(['receiver_trouble', 'hall', /receiver hall \(x\)/] as const),
  ],
  ['ether is low', { account: { tokens: 5000n, ether: 1n } }, 'ether_low', 'ether', /0.01 ETH/],
  [
    'tokens are low',
    { account: { tokens: 1n, ether: 10n ** 18n } },
    'tokens_low',
    'tokens',
    /10 TKN/,
  ],
  ['the disk is nearly full', { free: 1_000_000 }, 'disk_low', 'disk', /1 MB left/],
] as const) {
  test(`${what}: told once, and once that it is over`, (t) => {
    const bad = conditionsOf(rules, { ...well, ...(change as Partial<AlertFacts>) })
    const first = step({}, bad)
    t.like(first.alerts[0], { alert, subject, state: 'raised' })
    t.regex(`${first.alerts[0]?.text}`, text)
    t.is(first.alerts.length, 1)
    // As after a restart.
    const second = step(toldIn(JSON.stringify(first.told)), bad)
    t.deepEqual(second.alerts, [])
    const over = step(second.told, conditionsOf(rules, well))
    t.like(over.alerts, { 0: { alert, subject, state: 'over' }, length: 1 })
    t.deepEqual(step(over.told, conditionsOf(rules, well)).alerts, [])
  })
}

test('what hovers about its bound is told once', (t) => {
  let told: Told = {}
  const said: string[] = []
  for (const used of [899n, 900n, 890n, 905n, 811n, 1000n, 809n, 899n]) {
    const next = step(told, conditionsOf(rules, { ...well, limits: [day(used)] }))
    said.push(...next.alerts.map(({ state }) => `${state} ${used}`))
    told = next.told
  }
  t.deepEqual(said, ['raised 900', 'over 809'])
})

test('what nobody knows now is not over', (t) => {
  const account = { tokens: 1n, ether: 1n }
  const bad = { ...well, account, limits: [day(1000n)], free: 1 }
  const { told } = step({}, conditionsOf(rules, bad))
  t.is(Object.keys(told).length, 4)
  const blind = { ...well, account: undefined, limits: undefined, free: undefined }
  t.deepEqual(step(told, conditionsOf(rules, blind)).alerts, [])
})

test('a rule that is off tells nothing; what it told is over', (t) => {
  const facts = { ...well, jobs: [job(20, 'receiver_changed')], limits: [day(1000n)], free: 1 }
  const { told, alerts } = step({}, conditionsOf(rules, facts))
  t.is(alerts.length, 4)
  const off = { jobFailing: false, budget: false, receivers: false, disk: false } as const
  t.deepEqual(
    step(told, conditionsOf(off, facts)).alerts.map(({ state }) => state),
    ['over', 'over', 'over', 'over'],
  )
})

test('no more than a hundred at a time, and a damaged record is none', (t) => {
  const jobs = Array.from({ length: 1000 }, (_, number) => ({ ...job(10), name: `j${number}` }))
  t.is(step({}, conditionsOf(rules, { ...well, jobs })).alerts.length, 100)
  t.deepEqual([toldIn('{"a'), toldIn('7'), toldIn(undefined)], [{}, {}, {}])
})
