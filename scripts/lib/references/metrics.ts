// docs/reference/metrics.md: every metric of both programs, as /metrics describes it itself.
import { type MetricObject, Registry } from 'prom-client'
import type { BudgetLimit } from '../../../agent/budget/caps.ts'
import { type MetricsFacts, metricsText } from '../../../agent/program/control/metrics.ts'
import type { Receiver } from '../../../receiver/core/receiver.ts'
import { createCounters } from '../../../receiver/ops/counters.ts'
import {
  registerConnections,
  registerFormers,
  registerGauges,
} from '../../../receiver/ops/gauges.ts'

interface Metric {
  readonly name: string
  readonly type: string
  readonly labels: readonly string[]
  readonly help: string
}

export function metricsReference(): string {
  return `# Metrics

What both programs show at \`/metrics\`, in Prometheus' text format. Amounts are in whole
tokens (\`_tokens\`) and ether (\`_ether\`), times in seconds. \`npm run reference\` writes
this page. [Monitoring](../guides/monitoring.md) says how to switch them on, and has a
dashboard and alerts.

A metric is a float: amounts are right to 15 digits. For accounting use
\`uraiden-receiver stats\` and \`uraiden-agent history\`, which are exact.

## The receiver

\`http_request_duration_seconds\` and the usual \`process_*\` and \`nodejs_*\` come with them.
Those of x402, of watchtowers and of former contracts are there where these are.

${table(receiverMetrics())}
## The agent

\`receiver\` is the name in \`agent.yaml\`, where it has one with an address there. Those of
channels, budgets and jobs are there where these are; a cap of another token has \`asset\`
as well.

${table(agentMetrics())}`
}

function table(metrics: readonly Metric[]): string {
  const rows = metrics.map(({ name, type, labels, help }) => {
    const told = labels.map((label) => `\`${label}\``).join(', ')
    return `| \`${name}\` | ${type} | ${told} | ${help.replaceAll('|', '\\|')} |\n`
  })
  return `| metric | type | labels | |\n|---|---|---|---|\n${rows.join('')}`
}

/** Registered as by the program, and read by nobody. */
function receiverMetrics(): readonly Metric[] {
  const registry = new Registry()
  const receiver = {
    x402: {},
    watchtowers: () => [],
    verifier: { verifier: 'native', threads: 0 },
    token: { symbol: '', decimals: 18 },
  } as unknown as Receiver
  const { sums } = createCounters(registry)
  registerGauges(registry, receiver, sums)
  registerConnections(registry, () => {
    throw new Error('nobody reads them')
  })
  registerFormers(registry, [])
  return registry.getMetricsAsArray().map((metric) => {
    const { name, help, labelNames } = metric as MetricObject & { labelNames: readonly string[] }
    return { name, type: metric.constructor.name.toLowerCase(), labels: labelNames, help }
  })
}

const limit = (scope: string) =>
  ({ scope, window: 'day', cap: 0n, used: 0n }) as unknown as BudgetLimit

/** One of everything, so that every family has a sample. */
const everything = {
  status: {
    started: 0,
    counters: { payments: 0, refusals: 0, failures: 0 },
    token: { symbol: '', decimals: 18 },
    channels: [{ receiver: '0x', openBlock: 0, state: 'open', deposit: 0n, balance: 0n }],
    budget: { limits: [limit('all')], transactions: [limit('ether'), limit('openings')] },
    jobs: [
      { name: '', failures: 0, last: { ended: 0 }, sinks: [{ id: '', waiting: 0, dropped: 0 }] },
    ],
  },
  account: { tokens: '0', ether: '0' },
  transactions: { opened: 0, toppedUp: 0, closed: 0, others: 0, fee: 0n },
  receivers: {},
} as unknown as MetricsFacts

function agentMetrics(): readonly Metric[] {
  const text = metricsText(everything, 0)
  return [...text.matchAll(/^# HELP (\S+) (.*)\n# TYPE \S+ (\S+)\n\S+?(?:\{(.*)\})? /gm)].map(
    ([, name = '', help = '', type = '', labels = '']) => ({
      name,
      help,
      type,
      labels: [...labels.matchAll(/(\w+)="/g)].map(([, label = '']) => label),
    }),
  )
}
