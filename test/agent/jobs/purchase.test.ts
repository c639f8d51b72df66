// A purchase on a disk that takes nothing.
import { getEventListeners } from 'node:events'
import test from 'ava'
import { wallClock } from '../../../agent/jobs/clock.ts'
import { type Buyer, purchase } from '../../../agent/jobs/purchase.ts'
import { UraidenError } from '../../../protocol/index.ts'
import { manualClock } from '../../support/manual-clock.ts'
import { owner } from '../../support/outbox.ts'

const none = {
  [Symbol.asyncIterator]: () => ({
    next: async () => ({ done: true as const, value: undefined }),
  }),
}
const disk = {
  write: async () => undefined,
  getMany: async () => [],
  records: () => none,
  isOnCard: async () => false,
  flush: async () => undefined,
  copy: async () => undefined,
  isBehind: async () => false,
  close: async () => undefined,
}
const job = {
  name: 'a',
  target: 'http://receiver/',
  method: 'GET',
  headers: {},
  every: '* * * * *',
  jitter: 0,
  timeout: 1000,
  mostBody: 1000,
  retry: { times: 3, delay: 1 },
  overlap: 'skip',
  missed: 'skip',
} as const

test('a payment that cannot be written down does not leave', async (t) => {
  let left = 0
  const buyer: Buyer = {
    request: async (_, options) => {
      await options?.onPayment?.({
        ...{ headers: {}, receiver: owner.account, channel: `${owner.account}/1` },
        ...{ price: 5n, balance: 5n, key: 'k' },
      })
      left++
      throw new Error('it left')
    },
    repeatPayment: () => Promise.reject(new Error('there is none')),
  }
  const full = new UraidenError({ code: 'state_unwritable', message: 'full', hint: '' })
  const storage = { ...disk, write: () => Promise.reject(full) }
  const bought = await purchase(
    { buyer, storage, clock: wallClock },
    { id: 'x', began: 0, job, url: new URL(job.target), signal: new AbortController().signal },
  )
  t.like(bought, { kind: 'failed', payment: 'none', error: full })
  t.is(left, 0)
})

const noon = Date.UTC(2026, 10, 21, 12)

interface ErrorAnswer {
  readonly status: number
  readonly cost: bigint
  readonly retryAfter?: string
  /** How often it was asked. */
  readonly asked: number
  /** In seconds. */
  readonly putOff?: number
}

const answers: readonly ErrorAnswer[] = [
  // What was charged is not bought again in the same run, whatever it says.
  { status: 429, cost: 5n, retryAfter: '120', asked: 1, putOff: 120 },
  { status: 429, cost: 5n, retryAfter: '1', asked: 1, putOff: 1 },
  { status: 429, cost: 5n, asked: 1 },
  { status: 408, cost: 5n, asked: 1 },
  { status: 503, cost: 5n, retryAfter: 'Sat, 21 Nov 2026 12:02:00 GMT', asked: 1, putOff: 120 },
  { status: 404, cost: 5n, retryAfter: '120', asked: 1, putOff: 120 },
  // What was free is tried again, but not before it may.
  { status: 503, cost: 0n, asked: 4 },
  { status: 429, cost: 0n, retryAfter: '61', asked: 1, putOff: 61 },
  { status: 503, cost: 0n, retryAfter: 'Sat, 21 Nov 2026 11:00:00 GMT', asked: 4 },
  { status: 503, cost: 0n, retryAfter: 'soon', asked: 4 },
  { status: 503, cost: 0n, retryAfter: '-5', asked: 4 },
  { status: 404, cost: 0n, asked: 1 },
]

for (const { status, cost, retryAfter, asked, putOff } of answers) {
  test(`${status} that costs ${cost}, Retry-After ${retryAfter}: asked ${asked} times in a run`, async (t) => {
    let times = 0
    const headers = retryAfter === undefined ? {} : { 'retry-after': retryAfter }
    const request = async () => {
      times++
      return { status, payment: { cost }, answer: { headers } }
    }
    const buyer = { request, repeatPayment: request } as unknown as Buyer
    const order = { id: 'x', began: 0, job, url: new URL(job.target) }
    const bought = await purchase(
      { buyer, storage: disk, clock: { ...wallClock, now: () => noon } },
      { ...order, signal: new AbortController().signal },
    )
    t.is(times, asked)
    t.like(bought, { kind: 'failed' })
    t.is(
      bought.kind === 'failed' ? bought.notBefore : 0,
      putOff === undefined ? undefined : noon + putOff * 1000,
    )
  })
}

test('a run waits for a receiver that says when, if that is soon', async (t) => {
  const clock = manualClock(noon)
  let waits = (): void => undefined
  const waiting = new Promise<void>((resolve) => {
    waits = resolve
  })
  const after: typeof clock.after = (delay, callback) => {
    const cancel = clock.after(delay, callback)
    waits()
    return cancel
  }
  const asked: number[] = []
  const request = async () => {
    asked.push(clock.now() - noon)
    const isReady = clock.now() >= noon + 60_000
    const headers = { 'retry-after': '60' }
    return isReady ? { status: 200 } : { status: 503, payment: { cost: 0n }, answer: { headers } }
  }
  const { signal } = new AbortController()
  const running = purchase(
    {
      buyer: { request, repeatPayment: request } as unknown as Buyer,
      storage: disk,
      clock: { ...clock, after },
    },
    { id: 'x', began: 0, job, url: new URL(job.target), signal },
  )
  await waiting
  clock.pass(60_000)
  t.like(await running, { kind: 'answered' })
  t.deepEqual(asked, [0, 60_000])
  t.is(getEventListeners(signal, 'abort').length, 0)
})
