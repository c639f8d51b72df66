// What the page is told of the daemon, and how it says it.
import test from 'ava'
import type { DaemonStatus } from '../../../../agent/program/control/status.ts'
import type { PageJob, PageState } from '../../../../agent/program/page/state.ts'
import { type PageFacts, pageState } from '../../../../agent/program/page/view.ts'
import {
  amountIn,
  behaviourText,
  daemonState,
  etherOf,
  isGood,
  lastResult,
  leftInChannels,
  leftOf,
  leftText,
  ownerName,
  span,
  trustText,
  when,
} from '../../../../agent/program/page/web/text.ts'
import { parseAddress } from '../../../../protocol/index.ts'

const room = parseAddress('0x70997970C51812dc3A010C7d01b50e0d17dc79C8')
const stranger = parseAddress('0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC')

function channel(change: Partial<DaemonStatus['channels'][number]> = {}) {
  return {
    receiver: room,
    openBlock: 7,
    openTransaction: '0x00',
    deposit: 50n,
    bound: 20n,
    signed: 20n,
    exact: true,
    free: [],
    state: 'open',
    balance: 20n,
    top: 20n,
    inDoubt: false,
    mayBeOld: false,
    certain: true,
    ...change,
  } as const
}

function status(change: Partial<DaemonStatus> = {}): DaemonStatus {
  return {
    pid: 1,
    started: 0,
    configuration: { file: 'agent.yaml', loaded: 0, refused: undefined },
    waiting: undefined,
    paused: false,
    address: stranger,
    key: 'keystore',
    token: { symbol: 'TKN', decimals: 2 },
    jobs: [],
    channels: [],
    clock: undefined,
    budget: undefined,
    transactions: undefined,
    behaviour: [],
    card: { mode: 'careful', flushed: undefined },
    proxy: undefined,
    page: undefined,
    counters: { payments: 0, refusals: 0, failures: 0 },
    troubles: [],
    ...change,
  }
}

function stateOf(change: Partial<DaemonStatus> = {}, more: Partial<PageFacts> = {}): PageState {
  return pageState({
    build: 'agent.1.js',
    actions: 'never',
    status: status(change),
    purchases: [],
    holdings: { tokens: null, ether: null, problem: null },
    receivers: { 'living-room': { url: 'http://192.168.1.104:5000', address: room } },
    ...more,
  })
}

test('an agent that has done nothing yet is told without a hole, and is JSON', (t) => {
  const state = stateOf()
  t.deepEqual(JSON.parse(JSON.stringify(state)), state)
  t.like(state, { token: { symbol: 'TKN' }, jobs: [], channels: [], purchases: [], waiting: null })
})

test('how many transactions are made is said in words', (t) => {
  const counts = { opened: 1, toppedUp: 2, closed: 0, others: 0, fee: 10n ** 14n }
  for (const [transactions, says] of [
    [{ by: 'history', counts }, /^3 transactions in the last 7 days .*, 0\.0001 ETH$/],
    [
      { by: 'forecast', transactions: 2 / 7, gas: 10_000, gasPrice: 10n ** 9n },
      /^about 2 transactions a week, 0\.00007 ETH$/,
    ],
    [undefined, /not known/],
  ] as const) {
    t.regex(stateOf({ transactions }).transactions, says)
  }
})

test('receivers have their names of the configuration, programs are no jobs', (t) => {
  const limits = [
    { scope: 'all', window: 'day', cap: 10n, used: 3n },
    { scope: `receiver/${room}`, window: 'hour', cap: 5n, used: 3n },
    { scope: `receiver/${stranger}`, window: 'hour', cap: 5n, used: 3n },
    { scope: 'job/temperature', window: 'total', cap: 5n, used: 9n },
    { scope: 'job/proxy/weather', window: 'month', cap: 5n, used: 0n },
  ] as const
  const { budgets, channels } = stateOf({
    budget: { reserved: 0n, total: undefined, limits, transactions: [] },
    channels: [channel(), channel({ receiver: stranger, openBlock: 8 })],
  })
  t.deepEqual(budgets.map(ownerName), [
    'Everything',
    'Receiver living-room',
    `Receiver ${stranger}`,
    'Job temperature',
    'Program weather',
  ])
  t.deepEqual(
    channels.map(({ receiverName }) => receiverName),
    ['living-room', null],
  )
  t.false(channels[0]?.closeAsked)
  const asked = stateOf({ channels: [channel({ closeApi: 'http://pi:5000/api/1' })] })
  t.true(asked.channels[0]?.closeAsked)
})

test('when a channel that is closing can be settled is said as a time, as far as it is known', (t) => {
  const channels = [channel({ state: 'closing', settleBlock: 1234 }), channel()]
  const settles = (change: Partial<DaemonStatus>) =>
    stateOf({ channels, ...change }).channels.map((each) => each.settles)
  t.deepEqual(settles({ clock: { head: 335, secondsPerBlock: 12 } }), [
    'after block 1234, about 3 hours from now',
    null,
  ])
  t.deepEqual(settles({}), ['after block 1234', null])
})

test('what is reserved for the next payments is left; what a crash hides is not', (t) => {
  const limits = [
    { scope: 'all', window: 'day', cap: 100n, used: 60n },
    { scope: `receiver/${room}`, window: 'day', cap: 100n, used: 35n },
    { scope: 'job/temperature', window: 'day', cap: 100n, used: 7n },
  ] as const
  const { budgets } = stateOf({
    budget: { reserved: 0n, total: undefined, limits, transactions: [] },
    channels: [
      channel({ balance: 20n, bound: 45n }),
      channel({ balance: 10n, bound: 15n, receiver: stranger, openBlock: 8 }),
      channel({ balance: 1n, bound: 9n, openBlock: 9, certain: false }),
    ],
  })
  t.deepEqual(
    budgets.map(({ spent }) => spent),
    ['30', '10', '7'],
  )
})

test('closed channels are not shown; of the purchases the newest fifty, the newest first', (t) => {
  const purchases = Array.from({ length: 51 }, (_, at) => ({
    time: at,
    method: 'GET',
    url: 'http://192.168.1.104:5000/a',
    status: 200,
    cost: 5n,
    channel: `${room}/7` as const,
    balance: 5n,
    ...(at === 50 && { job: 'temperature' }),
    ...(at === 49 && { job: 'proxy/weather' }),
  }))
  const state = stateOf({ channels: [channel({ state: 'closed' })] }, { purchases })
  t.deepEqual(state.channels, [])
  t.is(state.purchases.length, 50)
  t.like(state.purchases[0], { time: 50, buyer: 'job temperature', receiverName: 'living-room' })
  t.is(state.purchases[1]?.buyer, 'program weather')
  t.is(state.purchases.at(-1)?.time, 1)
  t.is(stateOf({}, { purchases: purchases.slice(0, 50) }).purchases.length, 50)
})

test('users, passwords and queries of addresses are not for all users of the machine', (t) => {
  const job = {
    name: 'a',
    target: 'living-room/a?key=secret',
    every: '5m',
    state: 'waiting',
    next: 5,
    last: {
      began: 0,
      ended: 1,
      kind: 'failed',
      error: { code: 'x', message: 'http://me:secret@host/a?key=secret did not answer. Why?' },
    },
    failures: 1,
    sinks: [
      {
        id: 'webhook:https://example.org/hook?key=secret',
        waiting: 2,
        waitingBytes: 5,
        delivered: 0,
        dropped: 0,
        refused: 0,
        problem: 'https://example.org/hook?key=secret answered 500',
      },
    ],
  } as const
  const state = stateOf({
    jobs: [job],
    waiting: { code: 'chain_unavailable', message: 'http://me:secret@node/ is away' },
    configuration: { file: '', loaded: 0, refused: 'http://node/?key=secret is no URL' },
    troubles: [
      {
        time: 1,
        level: 'warn',
        message: 'a purchase failed',
        code: 'x',
        reason: 'http://me:secret@host:1/a?b=secret',
        hint: 'Look at mqtt://me:secret@host.',
      },
      { time: 2, level: 'error', message: 'later' },
    ],
  })
  t.notRegex(JSON.stringify(state), /secret/)
  t.is(state.jobs[0]?.last?.problem?.message, 'http://host/a did not answer. Why?')
  t.deepEqual(
    state.troubles.map(({ message }) => message),
    ['later', 'a purchase failed'],
  )
})

test('what others wrote into an error does not grow the page without bound', (t) => {
  const message = 'x'.repeat(100_000)
  const state = stateOf({ troubles: [{ time: 1, level: 'warn', message }] })
  t.is(state.troubles[0]?.message.length, 1001)
})

const spans: readonly (readonly [number, string])[] = [
  [-5, '0 s'],
  [0, '0 s'],
  [119_000, '119 s'],
  [120_000, '2 min'],
  [7_199_000, '120 min'],
  [7_200_000, '2 h'],
  [172_800_000, '2 d'],
]
for (const [milliseconds, text] of spans) {
  test(`${milliseconds} ms are ${text}`, (t) => t.is(span(milliseconds), text))
}

const lefts: readonly (readonly [string, string, bigint, number])[] = [
  ['100', '0', 100n, 100],
  ['100', '31', 69n, 69],
  ['3', '1', 2n, 66],
  ['100', '100', 0n, 0],
  ['100', '101', 0n, 0],
  ['0', '0', 0n, 0],
]
for (const [cap, spent, amount, percent] of lefts) {
  test(`${spent} of ${cap} spent leaves ${percent} %`, (t) => {
    t.deepEqual(leftOf({ cap, spent }), { amount, percent })
  })
}

const job: PageJob = {
  name: 'a',
  target: '',
  state: 'waiting',
  next: null,
  last: null,
  failures: 0,
  sinks: [],
}

test('the last run in words', (t) => {
  const amount = amountIn({ symbol: 'TKN', decimals: 2 })
  const say = (change: Partial<PageJob>) => lastResult({ ...job, ...change }, 60_000, amount)
  const last = { ended: 0, cost: null, authentic: null, problem: null }
  t.is(say({}), 'has not run yet')
  t.is(say({ last: { ...last, cost: '5' } }), 'went well 60 s ago, for 0.05 TKN')
  t.is(say({ last }), 'went well 60 s ago, for nothing')
  t.is(say({ last: { ...last, authentic: true } }), 'went well 60 s ago, for nothing, authentic')
  t.is(say({ last: { ...last, authentic: false } }), 'went well 60 s ago, for nothing, not proven')
  const problem = { code: 'price_over_cap', message: 'This costs too much.' }
  const failed = { last: { ...last, problem } }
  t.is(say({ ...failed, failures: 1 }), 'failed 60 s ago: This costs too much. (price_over_cap)')
  t.regex(say({ ...failed, failures: 2 }), /^failed 60 s ago, 2 times in a row: /)
})

test('amounts, states and outcomes in words', (t) => {
  const budget = { cap: '100', spent: '31' }
  t.is(leftText(budget, { symbol: 'TKN', decimals: 2 }), '0.69 of 1 TKN left')
  t.is(leftText(budget, null), '69 of 100 units left')
  t.is(amountIn(null)('5'), '5 units')
  t.is(etherOf('1234567890000000000'), '1.234567 ETH')
  t.is(etherOf('0'), '0 ETH')
  t.is(when(61_000, 1000), 'in 60 s')
  t.is(when(1000, 1000), '0 s ago')
  t.is(daemonState(stateOf()), 'running')
  t.is(daemonState(stateOf({ paused: true })), 'paused')
  const waiting = { code: 'chain_unavailable', message: 'away' }
  t.is(daemonState(stateOf({ paused: true, waiting })), 'waiting')
  t.deepEqual([199, 200, 399, 400].map(isGood), [false, true, true, false])
  const { channels } = stateOf({
    channels: [channel(), channel({ openBlock: 8, state: 'closing' })],
  })
  t.is(leftInChannels(channels), 30n)
})

test('how receivers have behaved is told in words', (t) => {
  const now = Date.UTC(2026, 10, 21)
  const trouble = {
    ...{ refused: 3.04, overcharged: 0, broken: 1, score: 4.04 },
    trust: 'leftAlone' as const,
    last: { code: 'proof_refused', time: now - 300_000 },
    leftAloneUntil: now + 61_000,
  }
  const { behaviour } = stateOf({
    behaviour: [
      { receiver: room, ...trouble },
      { ...trouble, receiver: stranger, trust: 'noDeposit', leftAloneUntil: undefined },
    ],
  })
  t.like(behaviour, [
    { receiverName: 'living-room', refused: 3, leftAloneUntil: now + 120_000 },
    { receiverName: null, leftAloneUntil: null },
  ])
  const [first, second] = behaviour
  if (first === undefined || second === undefined) return t.fail()
  t.is(behaviourText(first, now), 'refused 3.0, broken 1.0; last proof_refused 5 min ago')
  t.is(trustText(first, now), 'Left alone: it is tried again in 2 min.')
  t.regex(trustText(second, now), /no more is locked for it/)
})
