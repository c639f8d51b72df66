// ./scripts/bench card: how often a day of a job a minute with a file writes to the card, with each setting of
// `card`. Ledger, queue, file and their syncs are real; the answers are a stand-in's, and a minute takes a fraction of
// a second, as do the intervals in which writes are gathered. What counts is how often anything is written: the file
// system's own writes come with each. They are counted, too, where the files are on a device of their own: after each
// minute in which anything was written its file system is synced.
import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Command } from 'commander'
import { openLedger } from '../agent/channels/ledger.ts'
import { channelName } from '../agent/channels/records.ts'
import type { AgentResponse } from '../agent/index.ts'
import { jobsOf } from '../agent/jobs/configured.ts'
import { openJobs } from '../agent/jobs/open.ts'
import type { Buyer } from '../agent/jobs/purchase.ts'
import { jobSchema } from '../agent/jobs/schema.ts'
import { flushInterval, gentleReservation } from '../agent/program/configuration/card.ts'
import { createPurchaseHistory, mostRemembered } from '../agent/purchase/history.ts'
import type { ClockReading } from '../platform/time/clock.ts'
import { machineClock } from '../platform/time/machine-clock.ts'
import { parseAddress } from '../protocol/index.ts'
import { integer } from '../scripts/lib/shared/arguments.ts'

const options = new Command('./scripts/bench card')
  .option('--minutes <n>', 'simulated, of a job a minute', integer(1, 100_000), 1440)
  .option('--only <card>', '`careful` or `gentle`')
  .option('--folder <path>', 'on the card that is measured', tmpdir())
  .option('--device <name>', 'that the folder is on alone, such as loop0')
  .option('--json', 'print JSON')
  .parse()
  .opts<{ minutes: number; only?: string; folder: string; device?: string; json?: true }>()
const { minutes, json } = options
const minute = 60_000
/** The usual ten seconds, as fast as the minutes. */
const syncInterval = 100
const shortMinute = 6 * syncInterval

const account = parseAddress(`0x${'11'.repeat(20)}`)
const owner = { chainId: 1n, contract: account, account }
const price = 5n
const openBlock = 7
const channel = channelName(account, openBlock)
const every = '* * * * *'

const results = []
for (const card of ['careful', 'gentle'] as const) {
  if (options.only === undefined || options.only === card) {
    results.push({ card, ...(await measure(card)) })
  }
}
if (json) {
  process.stdout.write(`${JSON.stringify({ node: process.version, minutes, results })}\n`)
} else {
  process.stdout.write(
    `of ${minutes} minutes   minutes with a write   writes   bytes written   at the device\n`,
  )
  for (const { card, moments, writes, bytes, device } of results) {
    const columns = [
      ...[`${moments}`.padStart(22), `${writes}`.padStart(9), `${bytes}`.padStart(16)],
      `${device.bytes}`.padStart(16),
    ]
    process.stdout.write(`${card.padEnd(16)}${columns.join('')}\n`)
    if (options.device === undefined) continue
    process.stdout.write(
      `  to open ${device.opened}, each minute with a write ${device.each.join(' ')}\n`,
    )
  }
}

async function measure(card: 'careful' | 'gentle') {
  const folder = await mkdtemp(join(options.folder, 'uraiden-bench-'))
  const memory = await mkdtemp('/dev/shm/uraiden-bench-')
  const spool = (name: string) => (card === 'gentle' ? join(memory, name) : undefined)
  const aside = card === 'careful' ? join(memory, 'jobs') : undefined
  const file = join(folder, 'readings.jsonl')
  const config = jobSchema.parse({ get: 'http://receiver/reading', every, sinks: [{ file }] })
  const time = minutesPass()
  const whole = await atDevice(folder)
  const ledger = await openLedger({
    ...{ folder: join(folder, 'ledger'), owner, spool: spool('ledger'), budget: {} },
    reservation: card === 'gentle' ? gentleReservation({ jobs: { reading: config } }) : 16,
    readClock: time.read,
  })
  await ledger.add({
    ...{ receiver: account, openBlock, deposit: 10n ** 9n, bound: 0n, signed: 0n, exact: true },
    ...{ free: [], state: 'open', openTransaction: '0x00' },
  })
  const jobs = await openJobs({
    jobs: jobsOf({ reading: config }, { symbol: 'TKN', decimals: 18 }),
    buyer: buyerOf(ledger, time.read),
    resolve: (target) => new URL(target),
    ...{ folder: join(folder, 'jobs'), owner, spool: spool('jobs'), aside },
    onEvent: () => undefined,
    syncInterval,
  })
  const parts = ['ledger', 'jobs', 'readings.jsonl'].map((name) => join(folder, name))
  let [moments, writes, known] = [0, 0, await Promise.all(parts.map(stateOf))]
  const before = await bytesWritten()
  const opened = (await atDevice(folder)) - whole
  const each: number[] = []
  for (let passed = 1; passed <= minutes; passed++) {
    time.pass()
    await jobs.run('reading')
    if (card === 'careful') await delivered(jobs)
    if (card === 'gentle' && (passed * minute) % flushInterval === 0) {
      let isOver = false
      await jobs.flush(async (copy) => {
        await ledger.flush(copy)
        isOver = true
      })
      if (!isOver) await ledger.flush()
    }
    // With `gentle` nothing waits for a time but the flush.
    if (card === 'careful') await sleep(shortMinute)
    const now = await Promise.all(parts.map(stateOf))
    const changed = now.filter((state, index) => state !== known[index]).length
    if (changed > 0) {
      moments++
      each.push((await atDevice(folder)) - whole - opened - sum(each))
    }
    writes += changed
    known = now
  }
  const bytes = (await bytesWritten()) - before
  await jobs.stop()
  await ledger.close()
  const atEnd = (await atDevice(folder)) - whole - opened - sum(each)
  for (const each of [folder, memory]) await rm(each, { recursive: true })
  return { moments, writes, bytes, device: { bytes: sum(each), opened, each, stopped: atEnd } }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, each) => all + each, 0)
}

/** The machine's clock, which goes on by a minute whenever one has passed. */
function minutesPass() {
  const machine = machineClock('trusted')
  let passed = 0
  return {
    pass: () => {
      passed += minute
    },
    read: (): ClockReading => {
      const { wall, uptime, ...reading } = machine()
      return { ...reading, wall: wall + passed, uptime: uptime + passed }
    },
  }
}

/** Bytes written until now, with all that the file system had to write; 0 without a device. */
async function atDevice(folder: string): Promise<number> {
  if (options.device === undefined) return 0
  await promisify(execFile)('sync', ['-f', folder])
  const stat = await readFile(`/sys/block/${options.device}/stat`, 'utf8')
  return 512 * Number(stat.trim().split(/\s+/)[6])
}

async function delivered(jobs: Awaited<ReturnType<typeof openJobs>>): Promise<void> {
  while (jobs.status().some(({ sinks }) => sinks.some(({ waiting }) => waiting > 0))) {
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
}

function buyerOf(ledger: Awaited<ReturnType<typeof openLedger>>, read: () => ClockReading): Buyer {
  const history = createPurchaseHistory(ledger.notes, mostRemembered, ledger.hours)
  const body = Buffer.from('{"celsius":21.4}')
  return {
    request: async (_, { onPayment, job } = {}) => {
      const purchase = { price, receiverKnows: 'intervals' as const, job: job ?? '' }
      const taken = await ledger.take(channel, purchase)
      if ('short' in taken) throw new Error('nothing to pay with')
      const payment = { price, channel, balance: taken.interval.to }
      // As large as real headers are.
      const headers = { 'RDN-Balance-Signature': `0x${'ab'.repeat(300)}` }
      await onPayment?.({ ...payment, headers, receiver: account, key: 'key' })
      ledger.settle(taken, price)
      history.add({
        ...{ time: read().wall, method: 'GET', url: 'http://receiver/reading', status: 200 },
        ...{ cost: price, channel, balance: payment.balance, authentic: true, job: 'reading' },
      })
      return {
        status: 200,
        answer: { status: 200, headers: { 'content-type': 'application/json' }, body },
        payment: { ...payment, cost: price },
        roundTrips: 1,
      } as unknown as AgentResponse
    },
    repeatPayment: () => Promise.reject(new Error('nothing is lost here')),
  }
}

/** Sizes and times of a file, or of all files of a folder. */
async function stateOf(part: string): Promise<string> {
  const names = await readdir(part).catch(() => undefined)
  const files = names === undefined ? [part] : names.map((name) => join(part, name))
  const states = await Promise.all(
    files.sort().map(async (path) => {
      const found = await stat(path).catch(() => undefined)
      return `${path} ${found?.size} ${found?.mtimeMs}`
    }),
  )
  return states.join('\n')
}

/** Sent to the disk by this process, proc(5). */
async function bytesWritten(): Promise<number> {
  return Number(/^write_bytes: (\d+)$/m.exec(await readFile('/proc/self/io', 'utf8'))?.[1])
}
