// The daemon's state for Prometheus, in its text format 0.0.4, and where it is asked for. Written by hand,
// because loading prom-client with what it depends on costs 8 MB of memory.
import { createServer, type Server } from 'node:http'
import type { ListenAddress } from '../../../platform/config/index.ts'
import { channelName } from '../../channels/records.ts'
import { listenOn } from '../../proxy/listen.ts'
import { same } from '../configuration/settings.ts'
import type { DaemonStatus } from './status.ts'

type Labels = Readonly<Record<string, string>>
type Sample = readonly [labels: Labels, value: number | bigint]

interface Family {
  readonly name: string
  readonly type: 'gauge' | 'counter'
  readonly help: string
  readonly samples: readonly Sample[]
}

/** `now` in Unix time, milliseconds. */
export function metricsText(status: DaemonStatus, now: number): string {
  return [...daemonFamilies(status, now), ...channelFamilies(status), ...jobFamilies(status)]
    .map(familyText)
    .join('')
}

function gauge(name: string, help: string, samples: readonly Sample[]): Family {
  return { name, type: 'gauge', help, samples }
}

function counter(name: string, help: string, samples: readonly Sample[]): Family {
  return { name, type: 'counter', help, samples }
}

function daemonFamilies({ started, waiting, counters }: DaemonStatus, now: number) {
  return [
    gauge('up_seconds', 'Since the start.', [[{}, Math.round((now - started) / 1000)]]),
    gauge('ready', '1 when payments are possible.', [[{}, waiting === undefined ? 1 : 0]]),
    counter('payments_total', 'Answers that were paid.', [[{}, counters.payments]]),
    counter('refusals_total', 'Requests that policy or budget refused.', [[{}, counters.refusals]]),
    counter('failures_total', 'Requests that failed otherwise.', [[{}, counters.failures]]),
  ]
}

function channelFamilies({ channels, budget }: DaemonStatus): readonly Family[] {
  const limits = budget?.limits ?? []
  const ofChannels = (amount: (channel: DaemonStatus['channels'][number]) => bigint) =>
    channels.map((channel): Sample => [channelLabels(channel), amount(channel)])
  return [
    gauge(
      'channel_deposit_units',
      'Deposit, in the token’s smallest unit.',
      ofChannels(({ deposit }) => deposit),
    ),
    gauge(
      'channel_balance_units',
      'Signed so far, or at most.',
      ofChannels(({ balance }) => balance),
    ),
    gauge(
      'budget_cap_units',
      'A cap of the configuration.',
      limits.map(({ scope, window, cap }) => [{ scope, window }, cap]),
    ),
    gauge(
      'budget_used_units',
      'Spent or reserved of that cap.',
      limits.map(({ scope, window, used }) => [{ scope, window }, used]),
    ),
  ]
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

function channelLabels(channel: DaemonStatus['channels'][number]): Labels {
  const { receiver, openBlock, state } = channel
  return { channel: channelName(receiver, openBlock), state }
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
