// The daemon's state for Prometheus, in its text format 0.0.4. Written by hand, because loading
// prom-client with what it depends on costs 8 MB of memory.
import { channelName } from '../../channels/records.ts'
import type { DaemonStatus } from './status.ts'

type Labels = Readonly<Record<string, string>>
type Sample = readonly [labels: Labels, value: number | bigint]

export function metricsText(status: DaemonStatus, now: number): string {
  const { channels, jobs, budget, counters, waiting } = status
  const sinks = jobs.flatMap(({ name, sinks }) =>
    sinks.map((sink) => ({ labels: { job: name, sink: sink.id }, sink })),
  )
  const families: readonly (readonly [
    name: string,
    type: 'gauge' | 'counter',
    help: string,
    samples: readonly Sample[],
  ])[] = [
    ['up_seconds', 'gauge', 'Since the start.', [[{}, Math.round((now - status.started) / 1000)]]],
    ['ready', 'gauge', '1 when payments are possible.', [[{}, waiting === undefined ? 1 : 0]]],
    ['payments_total', 'counter', 'Answers that were paid.', [[{}, counters.payments]]],
    [
      'refusals_total',
      'counter',
      'Requests that policy or budget refused.',
      [[{}, counters.refusals]],
    ],
    ['failures_total', 'counter', 'Requests that failed otherwise.', [[{}, counters.failures]]],
    [
      'channel_deposit_units',
      'gauge',
      'Deposit, in the token’s smallest unit.',
      channels.map((channel) => [channelLabels(channel), channel.deposit]),
    ],
    [
      'channel_balance_units',
      'gauge',
      'Signed so far, or at most.',
      channels.map((channel) => [channelLabels(channel), channel.balance]),
    ],
    [
      'budget_cap_units',
      'gauge',
      'A cap of the configuration.',
      (budget?.limits ?? []).map(({ scope, window, cap }) => [{ scope, window }, cap]),
    ],
    [
      'budget_used_units',
      'gauge',
      'Spent or reserved of that cap.',
      (budget?.limits ?? []).map(({ scope, window, used }) => [{ scope, window }, used]),
    ],
    [
      'job_failures',
      'gauge',
      'Failed runs in a row.',
      jobs.map(({ name, failures }) => [{ job: name }, failures]),
    ],
    [
      'job_last_run_seconds',
      'gauge',
      'End of the last run, Unix time.',
      jobs.flatMap(({ name, last }): readonly Sample[] =>
        last === undefined ? [] : [[{ job: name }, Math.round(last.ended / 1000)]],
      ),
    ],
    [
      'sink_waiting',
      'gauge',
      'Bodies that wait.',
      sinks.map(({ labels, sink }) => [labels, sink.waiting]),
    ],
    [
      'sink_dropped_total',
      'counter',
      'Bodies thrown away because the queue was full.',
      sinks.map(({ labels, sink }) => [labels, sink.dropped]),
    ],
  ]
  return families.map(family).join('')
}

function channelLabels(channel: DaemonStatus['channels'][number]): Labels {
  const { receiver, openBlock, state } = channel
  return { channel: channelName(receiver, openBlock), state }
}

function family([name, type, help, samples]: readonly [
  string,
  string,
  string,
  readonly Sample[],
]): string {
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
