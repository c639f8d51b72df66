// The daemon's state for Prometheus, in its text format 0.0.4, and where it is asked for: amounts in whole tokens
// and ether, as the receiver's are. Written by hand, because loading prom-client with what it depends on costs 8 MB of memory.
import { createServer, type Server } from 'node:http'
import type { ListenAddress } from '../../../platform/config/index.ts'
import { version } from '../../../platform/system/version.ts'
import { type Address, formatNumber, type TokenUnit } from '../../../protocol/index.ts'
import type { BudgetLimit } from '../../budget/caps.ts'
import type { ChannelBalance } from '../../channels/ledger-types.ts'
import { channelName } from '../../channels/records.ts'
import type { TransactionCounts } from '../../channels/transaction-history.ts'
import { listenOn } from '../../proxy/listen.ts'
import { same } from '../configuration/settings.ts'
import type { DaemonStatus } from './status.ts'

type Labels = Readonly<Record<string, string>>
type Sample = readonly [labels: Labels, value: number | string]

interface Family {
  readonly name: string
  readonly type: 'gauge' | 'counter'
  readonly help: string
  readonly samples: readonly Sample[]
}

export interface MetricsFacts {
  readonly status: DaemonStatus
  /** What the account has outside channels, as far as it is known; ether in wei. */
  readonly account: { readonly tokens: string | null; readonly ether: string | null }
  /** Own ones in all; undefined before the chain was there once. */
  readonly transactions: TransactionCounts | undefined
  /** By their names in the configuration. */
  readonly receivers: { readonly [name: string]: { readonly address?: Address | undefined } }
}

/** `now` in Unix time, milliseconds. */
export function metricsText(facts: MetricsFacts, now: number): string {
  const { status } = facts
  const families = [
    ...daemonFamilies(status, now),
    ...accountFamilies(facts),
    ...(status.token ? [...channelFamilies(facts, status.token), ...budgetFamilies(facts)] : []),
    ...jobFamilies(status),
  ]
  return families.map(familyText).join('')
}

function gauge(name: string, help: string, samples: readonly Sample[]): Family {
  return { name, type: 'gauge', help, samples }
}

function counter(name: string, help: string, samples: readonly Sample[]): Family {
  return { name, type: 'counter', help, samples }
}

function daemonFamilies({ started, waiting, counters }: DaemonStatus, now: number) {
  return [
    gauge('build_info', 'The program.', [[{ version, node: process.version }, 1]]),
    gauge('up_seconds', 'Since the start.', [[{}, Math.round((now - started) / 1000)]]),
    gauge('ready', '1 when payments are possible.', [[{}, waiting === undefined ? 1 : 0]]),
    counter('payments_total', 'Answers that were paid.', [[{}, counters.payments]]),
    counter('refusals_total', 'Requests that policy or budget refused.', [[{}, counters.refusals]]),
    counter('failures_total', 'Requests that failed otherwise.', [[{}, counters.failures]]),
  ]
}

function accountFamilies({ status, account, transactions }: MetricsFacts): readonly Family[] {
  const { token } = status
  const { tokens, ether } = account
  const { fee, ...counts } = transactions ?? {}
  return [
    gauge(
      'liquid_tokens',
      'Tokens of the account outside channels.',
      token && tokens !== null ? [[{}, formatNumber(BigInt(tokens), token.decimals)]] : [],
    ),
    gauge(
      'ether',
      'Ether of the account, to pay for transactions.',
      ether === null ? [] : [[{}, inEther(BigInt(ether))]],
    ),
    counter(
      'transactions_total',
      'Transactions of its own that are in a block.',
      Object.entries(counts).map(([what, count]) => [{ what: labelOf(what) }, count]),
    ),
    counter(
      'fees_ether_total',
      'What transactions of its own have cost.',
      fee === undefined ? [] : [[{}, inEther(fee)]],
    ),
  ]
}

/** `toppedUp` is `topped_up`, as labels are written. */
function labelOf(word: string): string {
  return word.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

function channelFamilies(
  { status, receivers }: MetricsFacts,
  { decimals }: TokenUnit,
): readonly Family[] {
  const names = new Map(
    Object.entries(receivers).flatMap(([name, { address }]) => (address ? [[address, name]] : [])),
  )
  const ofChannels = (amount: (channel: ChannelBalance) => bigint) =>
    status.channels.map((channel): Sample => {
      const { receiver, openBlock, state } = channel
      const labels = {
        receiver: names.get(receiver) ?? receiver,
        channel: channelName(receiver, openBlock),
        state,
      }
      return [labels, formatNumber(amount(channel), decimals)]
    })
  return [
    gauge(
      'channel_deposit_tokens',
      'Deposit.',
      ofChannels(({ deposit }) => deposit),
    ),
    gauge(
      'channel_balance_tokens',
      'Signed so far, or at most.',
      ofChannels(({ balance }) => balance),
    ),
  ]
}

function budgetFamilies({ status: { budget, token } }: MetricsFacts): readonly Family[] {
  const { limits = [], transactions = [] } = budget ?? {}
  const inTokens = (amount: bigint, { unit }: BudgetLimit) =>
    formatNumber(amount, (unit ?? token)?.decimals ?? 0)
  const ether = transactions.filter(({ scope }) => scope === 'ether')
  const openings = transactions.filter(({ scope }) => scope !== 'ether')
  const pair = (
    name: string,
    unit: string,
    of: readonly BudgetLimit[],
    number: (amount: bigint, limit: BudgetLimit) => string,
  ) => [
    gauge(
      `${name}_cap${unit}`,
      'A cap of the configuration.',
      of.map((limit) => [labelsOf(limit), number(limit.cap, limit)]),
    ),
    gauge(
      `${name}_used${unit}`,
      'Spent or reserved of that cap.',
      of.map((limit) => [labelsOf(limit), number(limit.used, limit)]),
    ),
  ]
  return [
    ...pair('budget', '_tokens', limits, inTokens),
    ...pair('fees', '_ether', ether, inEther),
    ...pair('openings', '', openings, (amount) => `${amount}`),
  ]
}

function labelsOf({ scope, window, unit }: BudgetLimit): Labels {
  return unit === undefined ? { scope, window } : { scope, window, asset: unit.symbol }
}

/** The exact decimal; Prometheus keeps 15 digits of it. */
function inEther(wei: bigint): string {
  return formatNumber(wei, 18)
}

function jobFamilies({ jobs }: DaemonStatus): readonly Family[] {
  const sinks = jobs.flatMap(({ name, sinks }) =>
    sinks.map((sink) => ({ labels: { job: name, sink: sink.id }, sink })),
  )
  return [
    gauge(
      'job_failures',
      'Failed runs in a row.',
      jobs.map(({ name, failures }) => [{ job: name }, failures]),
    ),
    gauge(
      'job_last_run_seconds',
      'End of the last run, Unix time.',
      jobs.flatMap(({ name, last }): readonly Sample[] =>
        last === undefined ? [] : [[{ job: name }, Math.round(last.ended / 1000)]],
      ),
    ),
    gauge(
      'sink_waiting',
      'Bodies that wait.',
      sinks.map(({ labels, sink }) => [labels, sink.waiting]),
    ),
    counter(
      'sink_dropped_total',
      'Bodies thrown away because the queue was full.',
      sinks.map(({ labels, sink }) => [labels, sink.dropped]),
    ),
  ]
}

function familyText({ name, type, help, samples }: Family): string {
  if (samples.length === 0) return ''
  const full = `uraiden_agent_${name}`
  const lines = samples.map(([labels, value]) => `${full}${labelText(labels)} ${value}\n`)
  return `# HELP ${full} ${help}\n# TYPE ${full} ${type}\n${lines.join('')}`
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

function escaped(value: string): string {
  return value.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n')
}

/** Where Prometheus asks, when the configuration says so. */
export class MetricsServer {
  readonly #text: () => string
  #running: { readonly server: Server; readonly place: ListenAddress } | undefined

  constructor(text: () => string) {
    this.#text = text
  }

  /** @throws UraidenError `address_in_use` */
  async start({ metrics: place }: { readonly metrics: ListenAddress | undefined }): Promise<void> {
    if (same(this.#running?.place, place)) return
    await this.stop()
    if (place === undefined) return
    const server = createServer((request, response) => {
      const found = request.method === 'GET' && request.url === '/metrics'
      response.writeHead(found ? 200 : 404, {
        'Content-Type': 'text/plain; version=0.0.4; charset=utf-8',
      })
      response.end(found ? this.#text() : 'GET /metrics\n')
    })
    await listenOn(server, place)
    this.#running = { server, place }
  }

  async stop(): Promise<void> {
    const { server } = this.#running ?? {}
    this.#running = undefined
    if (server === undefined) return
    await new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  }
}
