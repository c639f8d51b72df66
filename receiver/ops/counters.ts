// Metrics that count what happens while it happens.
import { Counter, Histogram, type Registry } from 'prom-client'
import type { TokenAmount } from '../../protocol/index.ts'
import type { WaitObserver } from '../channels/store.ts'
import type { ReceiverObserver } from '../core/options.ts'

export interface Sums {
  /** Prices of all paid requests, in the token's smallest unit. */
  readonly paid: TokenAmount
  /** What of it became the senders' credit again. */
  readonly credited: TokenAmount
  /** Of transactions, in wei. */
  readonly fees: bigint
}

export interface Counters {
  readonly observer: ReceiverObserver
  /** Exact: metrics are floats, so they are converted as late as possible. */
  readonly sums: () => Sums
}

export function createCounters(registry: Registry): Counters {
  const requests = new Counter({
    name: 'uraiden_requests_total',
    help: 'Requests that the paywall decided about; code says why one was refused.',
    labelNames: ['outcome', 'code'],
    registers: [registry],
  })
  let paid = 0n
  let credited = 0n
  let fees = 0n
  const transactions = new Counter({
    name: 'uraiden_transactions_total',
    help: 'Transactions of its own that are in a block.',
    registers: [registry],
  })
  return {
    sums: () => ({ paid, credited, fees }),
    observer: {
      admitted: (admission, price) => {
        const code = admission.kind === 'refused' ? admission.code : ''
        requests.inc({ outcome: admission.kind, code })
        if (admission.kind === 'paid' && admission.paidIn === undefined) paid += price
      },
      credited: (amount) => {
        credited += amount
      },
      committed: commitObserver([registry]),
      waited: waitObserver([registry]),
      asked: rpcObserver([registry]),
      mined: (fee) => {
        transactions.inc()
        fees += fee
      },
    },
  }
}

function commitObserver(registers: Registry[]): ReceiverObserver['committed'] {
  const size = new Histogram({
    name: 'uraiden_commit_records',
    help: 'Records in one synced write, or payments in one call to a database: how many share a sync.',
    buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512],
    registers,
  })
  const duration = new Histogram({
    name: 'uraiden_commit_duration_seconds',
    help: 'How long a synced write takes, or a call to a database with its commit.',
    buckets: [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1],
    registers,
  })
  const failures = new Counter({
    name: 'uraiden_commit_failures_total',
    help: 'Synced writes, or calls to a database, that failed.',
    registers,
  })
  return (records, seconds, outcome) => {
    size.observe(records)
    duration.observe(seconds)
    if (outcome === 'failed') failures.inc()
  }
}

function waitObserver(registers: Registry[]): WaitObserver {
  const wait = new Histogram({
    name: 'uraiden_commit_wait_seconds',
    help: 'How long a payment waits for the call of those before it, where the state is in a database.',
    buckets: [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1],
    registers,
  })
  return (seconds) => wait.observe(seconds)
}

function rpcObserver(registers: Registry[]): ReceiverObserver['asked'] {
  const requests = new Counter({
    name: 'uraiden_rpc_requests_total',
    help: 'Requests to the Ethereum node; outcome is ok or the code of the error.',
    labelNames: ['method', 'outcome'],
    registers,
  })
  const duration = new Histogram({
    name: 'uraiden_rpc_duration_seconds',
    help: 'How long the Ethereum node takes to answer.',
    labelNames: ['method'],
    buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10],
    registers,
  })
  return (method, seconds, outcome) => {
    requests.inc({ method, outcome })
    duration.observe({ method }, seconds)
  }
}
