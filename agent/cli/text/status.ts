// What `uraiden-agent status` shows: what is wrong first, then jobs, channels and budgets; 80 columns.
import type { Milliseconds } from '../../../platform/time/clock.ts'
import type { TokenUnit } from '../../../protocol/index.ts'
import { assetOf, type BudgetLimit, type BudgetScope, tightest } from '../../budget/caps.ts'
import { continuesWhen } from '../../jobs/continues.ts'
import type { JobStatus } from '../../jobs/types.ts'
import type { DaemonStatus } from '../../program/control/status.ts'
import type { ReceiverBehaviour } from '../../purchase/behaviour.ts'
import { budgetTable, type Words } from './budgets.ts'
import { channelTable } from './channels.ts'
import { bar, fitted, shortAmount } from './columns.ts'
import { shortAddress } from './names.ts'
import { ago, until } from './times.ts'

export function statusText(found: DaemonStatus, words: Words): readonly string[] {
  const { waiting, paused, token, jobs, channels, clock, budget, proxy, page, card } = found
  const { now, nameOf } = words
  const open = channels.filter(({ state }) => state !== 'closed')
  const limits = [...(budget?.limits ?? []), ...(budget?.transactions ?? [])]
  const { payments, refusals, failures } = found.counters
  const since = `since ${ago(found.started, now)}, process ${found.pid}`
  return [
    `${state(waiting, paused)} ${since}, account ${shortAddress(found.address)}`,
    `bought ${payments}, refused ${refusals}, failed ${failures}`,
    ...problemLines(found, now),
    ...(proxy ? [`proxy   ${proxyText(proxy)}`] : []),
    ...(page ? [`page    http://127.0.0.1:${page.port}/#key=${page.key}`] : []),
    `card    ${cardText(card, now)}`,
    ...(jobs.length > 0 ? ['', jobTable(jobs, { limits, token, now })] : []),
    ...(open.length > 0 && token ? ['', channelTable(open, { token, clock, nameOf })] : []),
    ...(limits.length > 0 ? ['', budgetTable(limits, token, words)] : []),
    ...(found.behaviour.length > 0 ? ['', behaviourTable(found.behaviour, words)] : []),
    ...troubleLines(found, now),
  ]
}

function state(waiting: DaemonStatus['waiting'], paused: boolean): string {
  if (waiting !== undefined) return `waiting (${waiting.code}: ${waiting.message})`
  return paused ? 'paused' : 'running'
}

function problemLines(
  { configuration, jobs }: Pick<DaemonStatus, 'configuration' | 'jobs'>,
  now: Milliseconds,
): readonly string[] {
  const refused = configuration.refused
  return [
    ...(refused ? [`✘ the last reload was refused: ${refused}`] : []),
    ...jobs.flatMap(({ name, failures, last, spent, sinks }) => [
      ...(spent ? [`! ${name}: budget spent, continues ${continuesWhen(spent.until, now)}`] : []),
      ...(failures > 0
        ? [`✘ ${name} failed ${times(failures)}, ${ago(last?.ended ?? now, now)} ago: ${why(last)}`]
        : []),
      ...sinks.flatMap(({ id, waiting, problem }) => {
        if (problem !== undefined) return [`✘ ${name}: ${waiting} wait for ${id}: ${problem}`]
        return waiting > 0 ? [`! ${name}: ${waiting} wait for ${id}`] : []
      }),
    ]),
  ]
}

function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`
}

function why(last: JobStatus['last']): string {
  return last?.error?.message ?? 'why is not known'
}

function proxyText({ port, socket }: NonNullable<DaemonStatus['proxy']>): string {
  return [port === undefined ? [] : `port ${port}`, socket ?? []].flat().join(', ')
}

export function cardText({ mode, flushed }: DaemonStatus['card'], now: Milliseconds): string {
  if (mode === 'careful') return 'careful: written with each purchase'
  return flushed === undefined
    ? 'gentle: not written since the start'
    : `gentle: written ${ago(flushed, now)} ago`
}

/** Of a row that has much else to say. */
const shortBar = 6

interface JobWords {
  readonly limits: readonly BudgetLimit[]
  readonly token: TokenUnit | undefined
  readonly now: Milliseconds
}

function jobTable(jobs: readonly JobStatus[], { limits, token, now }: JobWords): string {
  return fitted({
    head: ['JOB', 'NEXT', 'LAST', 'PRICE', 'BUDGET', 'STATE'],
    flexible: [0, 2],
    rows: jobs.map((job) => {
      const { name, next, last } = job
      const own = tightest(limits.filter(({ scope }) => withinOf(scope) === `job/${name}`))
      const { price, unit = token } = last ?? {}
      return [
        name,
        next === undefined ? '' : until(next, now),
        last === undefined ? 'never' : `${resultOf(last)}, ${ago(last.ended, now)} ago`,
        price === undefined || unit === undefined ? '' : shortAmount(BigInt(price), unit),
        own === undefined ? '' : bar(own.used, own.cap, shortBar),
        stateOf(job),
      ]
    }),
  })
}

/** The same of the channels' token and of each asset. */
function withinOf(scope: BudgetScope): string {
  return assetOf(scope)?.within ?? scope
}

function stateOf({ state, spent }: JobStatus): string {
  if (spent !== undefined) return 'spent'
  return state === 'waiting' ? '' : state
}

function resultOf({ kind, unfit, authentic, error }: NonNullable<JobStatus['last']>): string {
  if (kind !== 'done') return error?.code ?? 'failed'
  const all = unfit === undefined ? 'ok' : `ok, nothing for ${unfit.join(', ')}`
  return authentic ? `${all}, authentic` : all
}

function behaviourTable(behaviour: DaemonStatus['behaviour'], { nameOf, now }: Words): string {
  return fitted({
    head: ['TROUBLE WITH', 'REFUSED', 'OVERCHARGED', 'BROKEN', 'LAST', 'GETS'],
    flexible: [0, 5, 4],
    rows: behaviour.map(({ receiver, refused, overcharged, broken, last, ...trust }) => [
      nameOf(receiver),
      ...[refused, overcharged, broken].map((count) => count.toFixed(1)),
      `${last.code}, ${ago(last.time, now)} ago`,
      trustText(trust, now),
    ]),
  })
}

/** What a purchase does with a receiver now. */
export function trustText(
  { trust, leftAloneUntil = 0 }: Pick<ReceiverBehaviour, 'trust' | 'leftAloneUntil'>,
  now: Milliseconds,
): string {
  if (trust === 'full') return 'payments and deposits'
  if (trust === 'noDeposit') return 'payments, no deposit'
  return `nothing for ${ago(2 * now - leftAloneUntil, now)}`
}

function troubleLines({ troubles }: DaemonStatus, now: Milliseconds): readonly string[] {
  if (troubles.length === 0) return []
  return [
    '',
    'last troubles:',
    ...troubles.slice(-5).map(({ time, message, code }) => {
      return `  ${ago(time, now)} ago: ${message}${code ? ` (${code})` : ''}`
    }),
  ]
}
