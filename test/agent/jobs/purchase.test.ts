// A purchase on a disk that takes nothing.
import test from 'ava'
import { type Buyer, purchase } from '../../../agent/jobs/purchase.ts'
import { UraidenError } from '../../../protocol/index.ts'
import { owner } from '../../support/outbox.ts'

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
  const none = {
    [Symbol.asyncIterator]: () => ({
      next: async () => ({ done: true as const, value: undefined }),
    }),
  }
  const storage = {
    write: () => Promise.reject(full),
    getMany: async () => [],
    records: () => none,
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
  const bought = await purchase(
    { buyer, storage },
    { id: 'x', began: 0, job, url: new URL(job.target), signal: new AbortController().signal },
  )
  t.like(bought, { kind: 'failed', payment: 'none', error: full })
  t.is(left, 0)
})
