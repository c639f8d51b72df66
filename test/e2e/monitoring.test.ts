// deploy/monitoring: what is drawn and alerted on is what the programs really show.
import { readFile } from 'node:fs/promises'
import { request } from 'node:http'
import { join } from 'node:path'
import test from 'ava'
import { parse } from 'yaml'
import { createOps, opsSchema } from '../../receiver/index.ts'
import { daemonFolder, startDaemonProcess } from '../support/daemon.ts'
import { startSystem } from '../support/system.ts'
import { until } from '../support/until.ts'

const folder = new URL('../../deploy/monitoring/', import.meta.url)

interface Target {
  readonly refId: string
  readonly expr: string
  readonly legendFormat: string
}

interface Panel {
  readonly id: number
  readonly type: string
  readonly title: string
  readonly datasource?: { readonly type: string; readonly uid: string }
  readonly gridPos: {
    readonly x: number
    readonly y: number
    readonly w: number
    readonly h: number
  }
  readonly targets?: readonly Target[]
}

interface Dashboard {
  readonly __inputs: readonly { readonly name: string; readonly pluginId: string }[]
  readonly title: string
  readonly uid: string
  readonly schemaVersion: number
  readonly id: null
  readonly panels: readonly Panel[]
  readonly templating: {
    readonly list: readonly (
      | { readonly type: 'query'; readonly query: { readonly query: string } }
      | { readonly type: 'datasource'; readonly name: string; readonly query: string }
    )[]
  }
}

interface Rules {
  readonly groups: readonly {
    readonly name: string
    readonly rules: readonly {
      readonly alert: string
      readonly expr: string
      readonly for?: string
      readonly labels: { readonly severity: string }
      readonly annotations: { readonly summary: string; readonly description: string }
    }[]
  }[]
}

const dashboard = JSON.parse(await readFile(new URL('grafana.json', folder), 'utf8')) as Dashboard
const { groups } = parse(await readFile(new URL('prometheus-rules.yaml', folder), 'utf8')) as Rules
const targets = dashboard.panels.flatMap(({ targets = [] }) => targets)
const rules = groups.flatMap((group) => group.rules)

/** Metrics in an expression of PromQL; `_bucket` belongs to the histogram. */
function metricsOf(expression: string): readonly string[] {
  const found = expression.match(/\buraiden_\w+/g) ?? []
  return found.map((name) => name.replace(/_(bucket|sum|count)$/, ''))
}

/** Labels that a selector or `by (…)` names, with the metric that a selector belongs to. */
function labelsOf(expression: string): readonly (readonly [metric: string, label: string])[] {
  return [...expression.matchAll(/\b(uraiden_\w+)\{([^}]*)\}/g)].flatMap(
    ([, name = '', labels = '']) =>
      [...labels.matchAll(/(\w+)\s*=~?/g)].map(([, label = '']) => [name, label] as const),
  )
}

/** Names that a `/metrics` declares, and labels of its samples. */
function shown(text: string) {
  const names = new Set([...text.matchAll(/^# TYPE (\S+) /gm)].map(([, name = '']) => name))
  const labels = new Map<string, Set<string>>()
  for (const [, name = '', pairs = ''] of text.matchAll(/^(\w+)(?:\{(.*)\})? \S+$/gm)) {
    const known = labels.get(name) ?? new Set()
    for (const [, label = ''] of pairs.matchAll(/(\w+)="/g)) known.add(label)
    labels.set(name, known)
  }
  return { names, labels }
}

function overSocket(socketPath: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    request({ socketPath, path }, (answer) => {
      let text = ''
      answer.setEncoding('utf8')
      answer.on('data', (part) => {
        text += part
      })
      answer.once('end', () => resolve(text))
    })
      .once('error', reject)
      .end()
  })
}

test('every metric and label that a panel or an alert names is in /metrics of a receiver and an agent', async (t) => {
  const ops = createOps(opsSchema.parse({ listen: '127.0.0.1:0' }))
  const own = await ops.start()
  t.teardown(ops.stop)
  const system = await startSystem(t, undefined, { observer: ops.observer }, { ops })
  const file = join(system.folder, 'readings')
  const agent = await daemonFolder(
    system,
    `budget: { day: 1000 units, request: 100 units }
jobs:
  reading: { get: room/reading, every: '0 0 1 1 *', sinks: [{ file: ${file} }] }
`,
  )
  const daemon = await startDaemonProcess(t, agent.folder)
  // It takes commands before the chain has told it what the token is.
  await until(async () => (await daemon.status())?.jobs.length === 1)
  await agent.json(t, 'run-job', 'reading')
  const socket = join(agent.folder, 'state', 'control.sock')
  // The account is asked for when somebody looks.
  const ofAgent = await until(async () => {
    const text = await overSocket(socket, '/metrics')
    return text.includes('\nuraiden_agent_ether ') ? text : undefined
  })
  const ofReceiver = await (await fetch(`${own}/metrics`)).text()
  const found = shown(`${ofReceiver}\n${ofAgent}`)
  const reference = await readFile(
    new URL('../../docs/reference/metrics.md', import.meta.url),
    'utf8',
  )
  for (const name of found.names) {
    if (name.startsWith('uraiden_')) t.true(reference.includes(`| \`${name}\` |`), name)
  }

  const expressions = [...targets, ...rules].map(({ expr }) => expr)
  t.true(expressions.length > 25)
  for (const expression of expressions) {
    const metrics = metricsOf(expression)
    t.true(metrics.length > 0, expression)
    for (const name of metrics) t.true(found.names.has(name), `${name} in ${expression}`)
    for (const [name, label] of labelsOf(expression)) {
      // Prometheus adds these itself.
      if (label === 'instance' || label === 'job') continue
      t.true(found.labels.get(name)?.has(label), `${name}{${label}} in ${expression}`)
    }
  }
  for (const variable of dashboard.templating.list) {
    if (variable.type !== 'query') continue
    for (const name of metricsOf(variable.query.query)) t.true(found.names.has(name), name)
  }
  for (const { expr, legendFormat } of targets) {
    const [name = ''] = metricsOf(expr)
    const by = /\bby \(([^)]*)\)/.exec(expr)?.[1]?.split(/,\s*/)
    for (const [, label = ''] of legendFormat.matchAll(/\{\{(\w+)\}\}/g)) {
      const known = by ?? [...(found.labels.get(name) ?? []), 'instance']
      t.true(known.includes(label), `{{${label}}} of ${expr}`)
    }
  }

  // The sums are those of the two programs, in tokens.
  const value = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(ofAgent)?.[1])
  t.is(value('uraiden_agent_channel_balance_tokens\\{.*\\}'), 5e-18)
  t.is(value('uraiden_agent_budget_cap_tokens\\{scope="all",window="day"\\}'), 1e-15)
  t.is(value('uraiden_agent_transactions_total\\{what="opened"\\}'), 1)
  t.true(value('uraiden_agent_fees_ether_total') > 0)
  t.regex(ofAgent, /^uraiden_agent_channel_deposit_tokens\{receiver="room",/m)
  t.regex(ofReceiver, /^uraiden_paid_tokens_total 5e-18$/m)
})

test('the dashboard is what Grafana imports: no panel is named, placed or asked for twice', (t) => {
  const { __inputs, panels, uid, title, schemaVersion, id } = dashboard
  t.deepEqual([id, uid, title], [null, 'uraiden', 'µRaiden'])
  t.true(schemaVersion >= 36)
  const [input] = __inputs
  t.is(input?.pluginId, 'prometheus')
  t.is(new Set(panels.map((panel) => panel.id)).size, panels.length)
  const taken = new Set<string>()
  for (const { type, title, gridPos, datasource, targets = [] } of panels) {
    const { x, y, w, h } = gridPos
    t.true(x >= 0 && w > 0 && h > 0 && x + w <= 24, title)
    for (let column = x; column < x + w; column++) {
      for (let row = y; row < y + h; row++) {
        t.false(taken.has(`${column}/${row}`), `${title} covers another panel`)
        taken.add(`${column}/${row}`)
      }
    }
    if (type === 'row') continue
    t.true(['timeseries', 'stat', 'bargauge'].includes(type), type)
    t.is(datasource?.uid, `\${${input?.name}}`)
    t.true(targets.length > 0, title)
    t.is(new Set(targets.map(({ refId }) => refId)).size, targets.length)
    for (const { expr } of targets) t.true(isBalanced(expr), expr)
  }
})

test('each alert says whom it is about and what to do', (t) => {
  t.is(new Set(rules.map(({ alert }) => alert)).size, rules.length)
  for (const { alert, expr, labels, annotations, for: wait = '0s' } of rules) {
    t.regex(alert, /^Uraiden[A-Z]\w+$/)
    t.true(isBalanced(expr), expr)
    t.regex(expr, /(>|<|>=|==) *[\d.a-z]/)
    t.regex(wait, /^\d+[smh]$/)
    t.true(['warning', 'critical'].includes(labels.severity))
    t.regex(annotations.summary, /\{\{ \$labels\.\w+ \}\}/)
    t.regex(annotations.description, /\.$/)
  }
})

function isBalanced(expression: string): boolean {
  const open: string[] = []
  const pairs: { readonly [end: string]: string } = { ')': '(', '}': '{', ']': '[' }
  for (const sign of expression.replace(/"[^"]*"/g, '')) {
    if ('([{'.includes(sign)) open.push(sign)
    else if (pairs[sign] !== undefined && open.pop() !== pairs[sign]) return false
  }
  return open.length === 0
}
