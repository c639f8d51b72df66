// What is kept of jobs and of payments on their way: records of the outbox's storage.

import type { Milliseconds } from '../../platform/time/clock.ts'
import type { Address, HeaderFields } from '../../protocol/index.ts'
import type { ChannelName } from '../channels/records.ts'
import type { SentPayment } from '../purchase/types.ts'
import { type OutboxStorage, openPrefix, type StorageOperation } from './sinks/storage.ts'
import type { LastRun, SpentBudget } from './types.ts'
import type { BoughtValues } from './values.ts'

export interface JobRecord {
  /** The schedule that `due` is of. */
  readonly every: string
  /** When the run after the last one was due. */
  readonly due: Milliseconds
  readonly failures: number
  /** See `History`. */
  readonly notBefore?: Milliseconds
  readonly paused: boolean
  readonly last?: LastRun
  readonly spent?: SpentBudget
  readonly values?: BoughtValues
  /** A digest of what the job, its budgets and its receiver were. */
  readonly settings?: string
}

/** A request that was paid, or is about to be, and whose answer is in no queue yet. */
export interface OpenRun {
  readonly id: string
  readonly job: string
  readonly began: Milliseconds
  readonly url: string
  readonly method: string
  readonly headers: HeaderFields
  readonly body?: string
  readonly payment: SentPayment
}

export interface StoredJobs {
  readonly jobs: ReadonlyMap<string, JobRecord>
  /** The oldest first. */
  readonly open: readonly OpenRun[]
}

const jobPrefix = 'job/'

export async function loadJobs(storage: OutboxStorage): Promise<StoredJobs> {
  const jobs = new Map<string, JobRecord>()
  for await (const [key, value] of storage.records(jobPrefix)) {
    jobs.set(key.slice(jobPrefix.length), JSON.parse(value))
  }
  const open: OpenRun[] = []
  for await (const [, value] of storage.records(openPrefix)) open.push(decodeOpen(value))
  return { jobs, open: open.sort((a, b) => a.began - b.began) }
}

export function putJob(name: string, record: JobRecord): StorageOperation {
  return { type: 'put', key: `${jobPrefix}${name}`, value: JSON.stringify(record) }
}

export function putOpen(run: OpenRun): StorageOperation {
  const { price, balance } = run.payment
  const payment = { ...run.payment, price: `${price}`, balance: `${balance}` }
  return { type: 'put', key: `${openPrefix}${run.id}`, value: JSON.stringify({ ...run, payment }) }
}

export function deleteOpen(id: string): StorageOperation {
  return { type: 'del', key: `${openPrefix}${id}` }
}

function decodeOpen(value: string): OpenRun {
  const run = JSON.parse(value)
  const { price, balance, receiver, channel } = run.payment
  const payment = {
    ...run.payment,
    receiver: receiver as Address,
    channel: channel as ChannelName,
    price: BigInt(price),
    balance: BigInt(balance),
  }
  return { ...run, payment }
}
