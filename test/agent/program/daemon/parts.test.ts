import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { mock } from 'node:test'
import test from 'ava'
import { defaultDeposits } from '../../../../agent/channels/choose.ts'
import type { ChannelBalance } from '../../../../agent/channels/ledger-types.ts'
import type { Agent } from '../../../../agent/index.ts'
import { metricsText } from '../../../../agent/program/control/metrics.ts'
import type { DaemonStatus } from '../../../../agent/program/control/status.ts'
import { graceOfStop } from '../../../../agent/program/daemon/capability.ts'
import { ClosingClock } from '../../../../agent/program/daemon/closing-clock.ts'
import { createJournal, createThrottle } from '../../../../agent/program/daemon/journal.ts'
import { SharedAgent } from '../../../../agent/program/daemon/shared-agent.ts'
import { dueTopUp } from '../../../../agent/program/daemon/top-up.ts'
import { createServiceManager, watchdogInterval } from '../../../../platform/system/systemd.ts'
import { parseAddress, UraidenError } from '../../../../protocol/index.ts'
import { temporaryFolder } from '../../../support/folder.ts'
import { needing, tools } from '../../../support/tools.ts'

const receiver = parseAddress('0x70997970C51812dc3A010C7d01b50e0d17dc79C8')

function channel(change: Partial<ChannelBalance> = {}): ChannelBalance {
  return {
    receiver,
    openBlock: 7,
    openTransaction: '0x00',
    deposit: 50n,
    bound: 0n,
    signed: 0n,
    exact: true,
    free: [],
    state: 'open',
    balance: 0n,
    top: 0n,
    certain: true,
    inDoubt: false,
    mayBeOld: false,
    ...change,
  }
}

test('a channel is topped up when less than two payments are left, within caps and budget', (t) => {
  const deposits = defaultDeposits
  const due = (
    change: Partial<ChannelBalance>,
    more: Partial<Parameters<typeof dueTopUp>[0]> = {},
    amount = 0n,
    by: 'day' | 'hour' = 'day',
  ) => {
    const purse = { channels: [channel(change)], limits: [], deposits, ...more }
    return dueTopUp(purse, receiver, { price: 5n, perDay: { amount, by } })?.added
  }
  t.is(due({ balance: 40n }), undefined)
  t.is(due({ balance: 41n }), 16n)
  t.is(due({ balance: 50n }), 25n)
  t.is(due({ balance: 50n, certain: false }), undefined)
  t.is(due({ balance: 50n, state: 'closing' }), undefined)
  t.is(due({ balance: 50n }, { deposits: { ...deposits, most: 70n } }), 20n)
  t.is(due({ balance: 50n }, { deposits: { ...deposits, most: 60n } }), 10n)
  t.is(due({ balance: 50n }, { deposits: { ...deposits, most: 59n } }), undefined)
  t.is(due({ balance: 50n }, { deposits: { ...deposits, mostInAll: 61n } }), 11n)
  const budget = (used: bigint) => ({
    limits: [{ scope: 'all', window: 'total', cap: 100n, used }] as const,
  })
  t.is(due({ balance: 50n }, budget(75n)), 25n)
  t.is(due({ balance: 50n }, budget(90n)), 10n)
  t.is(due({ balance: 50n }, budget(91n)), undefined)
  const daily = (cap: bigint, window: 'hour' | 'day') => ({
    limits: [{ scope: 'all', window, cap, used: 0n }] as const,
  })
  t.is(due({ balance: 50n }, daily(24n, 'day')), 24n)
  t.is(due({ balance: 50n }, daily(9n, 'day')), undefined)
  t.is(due({ balance: 50n }, daily(24n, 'hour')), 25n)
  const roomy = channel({ openBlock: 8, deposit: 10n })
  t.is(due({}, { channels: [channel({ balance: 50n }), roomy] }), undefined)
  // A week's use of 20 a day is 140: a quarter of it is 35.
  const large = (left: bigint) => ({ deposit: 1000n, balance: 1000n - left })
  t.is(due(large(35n), {}, 20n), undefined)
  t.is(due(large(34n), {}, 20n), 106n)
  t.is(due(large(34n), {}, 20n, 'hour'), undefined)
  t.is(due(large(9n), {}, 20n, 'hour'), 131n)
  // Where caps leave less, it is a quarter of that.
  const capped = { deposits: { ...deposits, most: 1030n } }
  t.is(due(large(34n), capped, 20n), undefined)
  t.is(due({ deposit: 1000n, balance: 990n }, capped, 20n), undefined)
  t.is(due({ deposit: 1000n, balance: 991n }, capped, 20n), 30n)
})

test('the same warning is said once in ten minutes, then how often it was there', (t) => {
  const throttle = createThrottle()
  t.is(throttle('chain', 0), 0)
  t.is(throttle('chain', 1), undefined)
  t.is(throttle('chain', 599_999), undefined)
  t.is(throttle('disk', 2), 0)
  t.is(throttle('chain', 600_000), 2)
})

test('log lines have a priority for journald, one line an event, and no user names of URLs', async (t) => {
  const lines: string[] = []
  const journal = await createJournal({
    settings: { level: 'info', format: 'text' },
    write: (text) => lines.push(text),
    environment: { JOURNAL_STREAM: '8:1' },
  })
  journal.log.debug('not said')
  journal.log.info('ready', { amount: 5n, missing: undefined })
  const error = new UraidenError({
    code: 'chain_unavailable',
    message: 'http://me:secret@node:8545\ndoes not answer',
    hint: 'Wait.',
  })
  journal.warn('chain', 'nothing can be paid', error)
  journal.warn('chain', 'nothing can be paid', error)
  t.is(
    lines.join(''),
    '<6>ready amount=5\n<4>warn: nothing can be paid code=chain_unavailable reason="http://node:8545\\ndoes not answer" hint=Wait.\n',
  )
  t.like(journal.warnings(), { length: 1, 0: { level: 'warn', code: 'chain_unavailable' } })
  await journal.change({ level: 'error', format: 'json' })
  journal.log.warn('quiet')
  journal.log.error('loud', { code: 'x' })
  t.like(JSON.parse(lines.at(-1) ?? ''), { level: 'error', message: 'loud', code: 'x' })
  t.is(lines.at(-2), '<3>')
})

needing(
  test,
  tools.python3,
  tools.systemdNotify,
)('systemd is told through its own helper, in order', async (t) => {
  const path = join(await temporaryFolder(t), 'notify')
  // Node has no such sockets, which is why the helper is used.
  const listener = spawn('python3', [
    '-uc',
    `import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print("bound")
while True:
    print(s.recv(4096).decode().replace("\\n", "|"))`,
    path,
  ])
  t.teardown(() => listener.kill('SIGKILL'))
  const lines = createInterface({ input: listener.stdout })
  const heard: string[] = []
  lines.on('line', (line) => {
    if (line !== 'BARRIER=1') heard.push(line)
  })
  await once(lines, 'line')
  const failed: unknown[] = []
  const manager = createServiceManager({
    environment: { PATH: process.env.PATH, NOTIFY_SOCKET: path, WATCHDOG_USEC: '20000' },
    onFailed: (error) => failed.push(error),
  })
  manager.ready('waiting: the chain')
  manager.status('waiting: the chain')
  manager.status('ready')
  manager.reloading()
  manager.stopping()
  manager.keepAlive()
  while (!heard.includes('WATCHDOG=1')) await once(lines, 'line')
  await manager.close()
  t.deepEqual(failed, [])
  t.deepEqual(heard.slice(1, 3), ['READY=1|STATUS=waiting: the chain', 'STATUS=ready'])
  t.regex(heard[3] ?? '', /^RELOADING=1\|MONOTONIC_USEC=\d+$/)
  t.is(heard[4], 'STOPPING=1|STATUS=stopping')
})

test('the watchdog is fed twice in its time, and only where it watches this process', (t) => {
  t.is(watchdogInterval({ WATCHDOG_USEC: '120000000' }), 60_000)
  t.is(watchdogInterval({ WATCHDOG_USEC: '120000000', WATCHDOG_PID: `${process.pid}` }), 60_000)
  t.is(watchdogInterval({ WATCHDOG_USEC: '120000000', WATCHDOG_PID: '1' }), undefined)
  t.is(watchdogInterval({}), undefined)
  t.is(watchdogInterval({ WATCHDOG_USEC: 'x' }), undefined)
})

test('an agent is exchanged when nobody uses it; what comes meanwhile waits for the next', async (t) => {
  const stopped: string[] = []
  const named = (name: string) =>
    ({ address: name, stop: async () => void stopped.push(name) }) as unknown as Agent
  const shared = new SharedAgent()
  await t.throwsAsync(
    shared.use(async () => 1),
    { code: 'agent_not_ready' },
  )
  await shared.exchange(async () => named('first'), 0)
  let finish = (): void => undefined
  const slow = shared.use(
    (agent) =>
      new Promise<string>((resolve) => {
        finish = () => resolve(agent.address)
      }),
  )
  await new Promise((resolve) => setImmediate(resolve))
  const exchanged = shared.exchange(async () => named('second'), 60_000)
  const later = shared.use(async (agent) => agent.address)
  await new Promise((resolve) => setImmediate(resolve))
  t.deepEqual(stopped, [])
  finish()
  t.is(await slow, 'first' as never)
  await exchanged
  t.is(await later, 'second' as never)
  t.deepEqual(stopped, ['first'])

  const refused = shared.exchange(() => Promise.reject(new Error('no disk')), 0)
  await t.throwsAsync(refused, { message: 'no disk' })
  await t.throwsAsync(
    shared.use(async () => 1),
    { message: 'no disk' },
  )
  await shared.exchange(async () => named('third'), 0)
  const hanging = shared.use(
    (_, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason))
      }),
  )
  const over = t.throwsAsync(hanging, { code: 'agent_stopping' })
  await new Promise((resolve) => setImmediate(resolve))
  await shared.stop(1)
  await over
  t.deepEqual(stopped, ['first', 'second', 'third'])
  await t.throwsAsync(
    shared.use(async () => 1),
    { code: 'agent_stopping' },
  )
})

test('the clock of channels that close is that of the last time when the chain was there', async (t) => {
  const clock = { head: 7, secondsPerBlock: 12 }
  let isAway = true
  const blockClock = async () => {
    if (isAway) throw new UraidenError({ code: 'chain_unavailable', message: 'away', hint: '' })
    return clock
  }
  const agent = { blockClock } as unknown as Agent
  let current: Agent | undefined
  const closing = new ClosingClock({ current: () => current })
  t.is(await closing.read(), undefined)
  current = agent
  t.is(await closing.read(), undefined)
  isAway = false
  t.deepEqual(await closing.read(), clock)
  isAway = true
  t.deepEqual(await closing.read(), clock)
  t.deepEqual(closing.now, clock)
})

test('the state in the text format of Prometheus', (t) => {
  const status: DaemonStatus = {
    pid: 1,
    started: 0,
    configuration: { file: 'agent.yaml', loaded: 0, refused: undefined },
    waiting: undefined,
    paused: false,
    address: receiver,
    key: 'keystore',
    token: { symbol: 'TKN', decimals: 18 },
    jobs: [],
    channels: [channel({ balance: 5n })],
    clock: undefined,
    budget: {
      reserved: 5n,
      total: 9n,
      limits: [{ scope: 'all', window: 'day', cap: 9n, used: 5n }],
      transactions: [],
    },
    transactions: undefined,
    behaviour: [],
    card: { mode: 'careful', flushed: undefined },
    proxy: undefined,
    page: undefined,
    counters: { payments: 3, refusals: 2, failures: 1 },
    troubles: [],
  }
  const counts = { opened: 1, toppedUp: 2, closed: 0, others: 0, fee: 3n }
  const facts = {
    status,
    account: { tokens: '7', ether: `${10n ** 16n}` },
    transactions: counts,
    receivers: { room: { address: receiver } },
  }
  const text = metricsText(facts, 61_400)
  t.true(text.includes('\nuraiden_agent_liquid_tokens 0.000000000000000007\n'))
  t.true(text.includes('\nuraiden_agent_ether 0.01\n'))
  t.true(text.includes('\nuraiden_agent_transactions_total{what="topped_up"} 2\n'))
  t.true(text.includes('\nuraiden_agent_fees_ether_total 0.000000000000000003\n'))
  t.true(text.includes('uraiden_agent_up_seconds 61\n'))
  t.true(
    text.includes('# TYPE uraiden_agent_payments_total counter\nuraiden_agent_payments_total 3\n'),
  )
  t.true(
    text.includes(
      `uraiden_agent_channel_deposit_tokens{receiver="room",channel="${receiver}/7",state="open"} 0.00000000000000005\n`,
    ),
  )
  t.true(
    text.includes(
      'uraiden_agent_budget_used_tokens{scope="all",window="day"} 0.000000000000000005\n',
    ),
  )
  const unknown = { ...facts, account: { tokens: null, ether: null } }
  t.false(metricsText({ ...unknown, transactions: undefined }, 0).includes('ether'))
  for (const line of text.trimEnd().split('\n')) {
    t.regex(
      line,
      /^(# HELP [a-z_]+ .+|# TYPE [a-z_]+ (gauge|counter)|[a-z_]+(\{([a-z]+="[^"\n]*",?)*\})? \d+(\.\d+)?)$/,
    )
  }
})

test.serial(
  'what does not even end when it is aborted holds up the end for less than a second',
  async (t) => {
    mock.timers.enable({ apis: ['setTimeout'] })
    t.teardown(() => mock.timers.reset())
    const shared = new SharedAgent()
    const stopped: string[] = []
    const agent = { stop: async () => void stopped.push('agent') } as unknown as Agent
    await shared.exchange(async () => agent, 0)
    void shared.use(() => new Promise(() => undefined))
    await new Promise((resolve) => setImmediate(resolve))
    const ended = shared.stop(graceOfStop).then(() => stopped.push('shared'))
    for (let passed = 0; passed < 900; passed += 100) {
      await new Promise((resolve) => setImmediate(resolve))
      mock.timers.tick(100)
    }
    await ended
    t.deepEqual(stopped, ['agent', 'shared'])
  },
)
