import test from 'ava'
import { budgetTable } from '../../../../agent/cli/text/budgets.ts'
import { channelTable } from '../../../../agent/cli/text/channels.ts'
import { bar, fitted, shortAmount, terminalWidth } from '../../../../agent/cli/text/columns.ts'
import { receiverNames } from '../../../../agent/cli/text/names.ts'
import { purchaseTable } from '../../../../agent/cli/text/purchases.ts'
import { statusText } from '../../../../agent/cli/text/status.ts'
import { freeAgain } from '../../../../agent/cli/text/times.ts'
import type { DaemonStatus } from '../../../../agent/program/control/status.ts'
import { maxTokenAmount, parseAddress } from '../../../../protocol/index.ts'

const now = Date.UTC(2026, 10, 27, 17, 40)
const room = parseAddress('0x9d80D905bC1E106d5bd0637c12B893c5Ab60CB41')
const token = { symbol: 'TKN', decimals: 18 }
const one = 10n ** 18n
const minute = 60_000

type Channel = DaemonStatus['channels'][number]
type Job = DaemonStatus['jobs'][number]

function channel(change: Partial<Channel> = {}): Channel {
  return {
    receiver: room,
    openBlock: 2_684_940,
    deposit: one,
    balance: (one * 51n) / 100n,
    bound: (one * 59n) / 100n,
    certain: true,
    state: 'open',
    ...change,
  } as Channel
}

function job(change: Partial<Job> = {}): Job {
  return {
    name: 'temperature',
    target: 'living-room/temperature',
    every: '5m',
    state: 'waiting',
    next: now + 3 * minute,
    failures: 0,
    sinks: [],
    last: {
      began: now - 2 * minute,
      ended: now - 2 * minute,
      kind: 'done',
      price: `${one / 200n}`,
      authentic: true,
    },
    ...change,
  }
}

function status(change: Partial<DaemonStatus> = {}): DaemonStatus {
  return {
    pid: 4711,
    started: now - 3 * 3_600_000,
    configuration: { file: 'agent.yaml', loaded: 0, refused: undefined },
    waiting: undefined,
    paused: false,
    address: room,
    key: 'keystore',
    token,
    jobs: [job()],
    channels: [channel()],
    clock: undefined,
    budget: {
      reserved: 0n,
      total: 0n,
      limits: [
        { scope: 'all', window: 'day', cap: one, used: (one * 31n) / 100n },
        { scope: 'job/temperature', window: 'day', cap: one / 5n, used: one / 5n },
      ],
      transactions: [{ scope: 'openings', window: 'day', cap: 50n, used: 1n }],
    },
    transactions: undefined,
    behaviour: [],
    card: { mode: 'gentle', flushed: now - 12 * minute },
    proxy: { port: 8402, socket: undefined },
    page: { port: 8403, key: 'abc' },
    counters: { payments: 3, refusals: 2, failures: 1 },
    troubles: [],
    ...change,
  }
}

const nameOf = receiverNames({ 'living-room': { url: 'http://room', address: room } } as never)
const words = { now, timeZone: undefined, nameOf }

test('status as its owner reads it', (t) => {
  t.is(
    statusText(status(), words).join('\n'),
    `running since 3 h, process 4711, account 0x9d80…CB41
bought 3, refused 2, failed 1
proxy   port 8402
page    http://127.0.0.1:8403/#key=abc
card    gentle: written 12 min ago

JOB          NEXT      LAST                      PRICE      BUDGET        STATE
temperature  in 3 min  ok, authentic, 2 min ago  0.005 TKN  ██████ 100 %

CHANNEL              SPENT                            RESERVED  STATE
living-room/2684940  █████·····  51 %  0.51 of 1 TKN  0.08      open

BUDGET           WINDOW  USED                              FREE AGAIN
all              day     ███·······  31 %  0.31 of 1 TKN
job temperature  day     ██████████ 100 %  0.2 of 0.2 TKN  00:00 UTC
openings         day     ▏·········   2 %  1 of 50`,
  )
})

test('a job whose budget is spent waits, and says until when; that is no failure', (t) => {
  const why = { code: 'budget_day_spent', message: 'The budget is spent.', needed: '5' }
  const spent = { ...why, until: Date.UTC(2026, 11, 1), scope: 'all', window: 'day' } as const
  const text = statusText(status({ jobs: [job({ spent })] }), words).join('\n')
  t.regex(text, /^! temperature: budget spent, continues at .*00:00 UTC$/m)
  t.regex(text, /^temperature .* spent$/m)
  t.notRegex(text, /✘/)
})

const long = 'the-thermometer-behind-the-house-'.repeat(3)
const large = maxTokenAmount
const longToken = { symbol: 'W'.repeat(32), decimals: 18 }

/** What no name and no amount may make longer: all but sentences. */
const tables: { readonly [what: string]: string } = {
  'jobs, channels and budgets': statusText(
    status({
      token: longToken,
      jobs: [
        job({
          name: long,
          state: 'running',
          last: { began: now, ended: now, kind: 'done', price: `${large}`, authentic: true },
        }),
      ],
      channels: [
        channel({ deposit: large, balance: large / 3n, bound: large / 2n, certain: false }),
      ],
      budget: {
        reserved: 0n,
        total: 0n,
        limits: [
          { scope: `job/${long}`, window: 'month', cap: large, used: large - 1n },
          { scope: `receiver/${room}`, window: 'total', cap: large, used: large },
        ],
        transactions: [],
      },
      behaviour: [
        {
          ...{ receiver: room, refused: 999.9, overcharged: 999.9, broken: 999.9, score: 1 },
          last: { code: 'deposit_over_cap_and_more', time: now },
          ...{ trust: 'leftAlone', leftAloneUntil: now + minute },
        },
      ],
    }),
    { ...words, nameOf: () => long },
  ).join('\n'),
  purchases: purchaseTable(
    [
      {
        ...{ time: now, method: 'POST', url: `http://room/${long}`, status: 200, cost: large },
        ...{ channel: `${room}/7`, balance: large, job: long, authentic: true },
      },
    ],
    longToken,
    () => long,
  ),
}

for (const [what, text] of Object.entries(tables)) {
  test(`${what} with long names and large amounts take 80 columns`, (t) => {
    for (const line of text.split('\n').filter((each) => !/^\d+ purchase/.test(each))) {
      t.true(line.length <= terminalWidth, `${line.length}: ${line}`)
    }
  })
}

test('what is wrong comes before the tables, and says how often and why', (t) => {
  const error = { code: 'http_error', message: 'living-room answers 503.' }
  const last = { began: now, ended: now - minute, kind: 'failed' as const, error }
  const sink = { id: 'influx:http://db', waiting: 9, problem: 'nobody answers' } as never
  const text = statusText(
    status({
      configuration: { file: '', loaded: 0, refused: 'it is broken' },
      jobs: [job({ name: 'light', failures: 12, last, sinks: [sink] })],
    }),
    words,
  ).join('\n')
  const [head] = text.split('\n\nJOB')
  t.regex(head ?? '', /✘ the last reload was refused: it is broken\n/)
  t.regex(head ?? '', /✘ light failed 12 times, 60 s ago: living-room answers 503\.\n/)
  t.regex(head ?? '', /✘ light: 9 wait for influx:http:\/\/db: nobody answers\n/)
})

test('the card says how it is written, and when it was last', (t) => {
  const said = (card: DaemonStatus['card']) =>
    statusText(status({ card }), words).find((line) => line.startsWith('card'))
  t.is(said({ mode: 'careful', flushed: undefined }), 'card    careful: written with each purchase')
  t.is(said({ mode: 'gentle', flushed: undefined }), 'card    gentle: not written since the start')
})

for (const { window, timeZone, again } of [
  { window: 'hour', timeZone: undefined, again: 'in 1 h' },
  { window: 'day', timeZone: undefined, again: '00:00 UTC' },
  { window: 'day', timeZone: 'Europe/Berlin', again: '23:00 UTC' },
  { window: 'month', timeZone: undefined, again: '2026-12-01' },
  { window: 'total', timeZone: undefined, again: 'when raised' },
] as const) {
  test(`a budget for ${window} in ${timeZone ?? 'UTC'} is free again ${again}`, (t) => {
    t.is(freeAgain(window, now, timeZone), again)
  })
}

test('a bar is full only where nothing is left', (t) => {
  t.is(bar(0n, 8n), '··········   0 %')
  t.is(bar(one - 1n, one), '█████████▉  99 %')
  t.is(bar(one, one), '██████████ 100 %')
  t.is(bar(2n * one, one), '██████████ 100 %')
  t.is(bar(0n, 0n), '██████████ 100 %')
})

test('amounts are exact where that is short, else six digits, never more than there is', (t) => {
  t.is(shortAmount(one / 200n, token), '0.005 TKN')
  t.is(shortAmount(one / 3n, token), '0.33333 TKN')
  t.is(shortAmount(123_456n * one + one / 3n, token), '123456 TKN')
  t.is(shortAmount(5n, token), '5e-18 TKN')
  t.is(shortAmount(4_722_399n * one + 1n, token), '4.72239e6 TKN')
  t.is(shortAmount(50n, { symbol: 'units', decimals: 0 }), '50 units')
})

test('a receiver without a name is short, and a channel that closes says when it ends', (t) => {
  const clock = { head: 100, secondsPerBlock: 12 }
  const text = channelTable([channel({ state: 'closing', settleBlock: 400 })], {
    ...{ token, clock },
    nameOf: receiverNames({}),
  })
  t.regex(text, /\n0x9d80…CB41\/2684940 .* closing\n {2}closing, settles after block 400, about 1/)
})

test('a budget of a program of the proxy has its name', (t) => {
  const limit = { scope: 'job/proxy/weather', window: 'day', cap: 5n, used: 1n } as const
  t.regex(budgetTable([limit], undefined, words), /\nprogram weather +day .* 1 of 5 units$/)
})

test('columns that give way are cut in the middle, the first one last', (t) => {
  const rows = [['a'.repeat(60), 'b'.repeat(60)]]
  const [, line = ''] = fitted({ head: ['A', 'B'], rows, flexible: [0, 1] }).split('\n')
  t.is(line.length, terminalWidth)
  t.regex(line, /^a{60} {2}b+…b+$/)
})
