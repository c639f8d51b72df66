// uraiden-agent status, pause, resume, run-job, flush, reload: the daemon, asked over its socket.

import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { createOutput, type Output, table, toJson } from '../../../platform/cli/output.ts'
import { parseYaml } from '../../../platform/config/yaml.ts'
import { formatAmount, isUraidenError, type TokenAmount } from '../../../protocol/index.ts'
import { type BudgetLimit, left } from '../../budget/caps.ts'
import { continuesWhen } from '../../jobs/continues.ts'
import { loadAgentConfig } from '../../program/configuration/config.ts'
import { commandSocket, configFile, type PlacesConfig } from '../../program/configuration/places.ts'
import { type DaemonConnection, daemonOf } from '../../program/control/client.ts'
import type { DaemonStatus } from '../../program/control/status.ts'
import type { ReceiverBehaviour } from '../../purchase/behaviour.ts'
import { transactionTable } from './books.ts'
import { channelTable } from './channels.ts'
import { type ExitCode, exitCode } from './exit-codes.ts'
import type { GlobalOptions } from './session.ts'

async function withDaemon(
  options: GlobalOptions,
  work: (daemon: DaemonConnection, output: Output) => Promise<void>,
): Promise<ExitCode> {
  const socket = commandSocket(await placesOf(options))
  await work(await daemonOf(socket), createOutput(options.json ?? false))
  return exitCode.ok
}

const placesSchema = z.object({
  state: z.string().optional(),
  control: z.object({ socket: z.string().optional() }).default({}),
})

/** Where the daemon is. A file that somebody has just broken says it too: the daemon still runs. */
async function placesOf(options: GlobalOptions): Promise<PlacesConfig> {
  const file = configFile(options.config)
  try {
    return await loadAgentConfig(file)
  } catch (error) {
    if (!isUraidenError(error, 'config_invalid')) throw error
    const { success, data } = placesSchema.safeParse(
      parseYaml(await readFile(file, 'utf8'), file).value,
    )
    if (!success) throw error
    return data
  }
}

export function pause(job: string | undefined, options: GlobalOptions): Promise<ExitCode> {
  return withDaemon(options, async (daemon, output) => {
    await daemon.command('pause', job === undefined ? {} : { job })
    output.print(output.json ? toJson({ paused: job ?? 'all' }) : `paused ${job ?? 'everything'}`)
  })
}

export function resume(job: string | undefined, options: GlobalOptions): Promise<ExitCode> {
  return withDaemon(options, async (daemon, output) => {
    await daemon.command('resume', job === undefined ? {} : { job })
    output.print(output.json ? toJson({ resumed: job ?? 'all' }) : `resumed ${job ?? 'everything'}`)
  })
}

export function runJob(job: string, options: GlobalOptions): Promise<ExitCode> {
  return withDaemon(options, async (daemon, output) => {
    const outcome = await output.during(`running ${job}`, () => daemon.command('runJob', { job }))
    if (output.json) return output.print(toJson(outcome))
    const { token } = await daemon.command('status', {})
    const cost =
      token === undefined ? '' : `, cost ${formatAmount(outcome.payment?.cost ?? 0n, token)}`
    const { status, bytes, unfit } = outcome
    const lacks = unfit.length === 0 ? '' : `, nothing for ${unfit.join(', ')}`
    output.print(`${job}: status ${status}, ${bytes} bytes${cost}${lacks}`)
  })
}

export function flush(options: GlobalOptions): Promise<ExitCode> {
  return withDaemon(options, async (daemon, output) => {
    await daemon.command('flush', {})
    output.print(output.json ? toJson({ flushed: true }) : 'everything is on the card')
  })
}

export function reload(options: GlobalOptions): Promise<ExitCode> {
  return withDaemon(options, async (daemon, output) => {
    await daemon.command('reload', {})
    output.print(output.json ? toJson({ reloaded: true }) : 'configuration reloaded')
  })
}

export function status(options: GlobalOptions): Promise<ExitCode> {
  return withDaemon(options, async (daemon, output) => {
    const found = await daemon.command('status', {})
    if (output.json) output.print(toJson(found))
    else for (const part of statusText(found, Date.now())) output.print(part)
  })
}

function statusText(found: DaemonStatus, now: number): readonly string[] {
  const { waiting, configuration, paused, token, jobs, channels, clock, budget } = found
  const { proxy, page, troubles } = found
  const money = (amount: TokenAmount) => (token ? formatAmount(amount, token) : `${amount} units`)
  const open = channels.filter(({ state }) => state !== 'closed')
  const limits = budget?.limits ?? []
  const { payments, refusals, failures } = found.counters
  return [
    `${state(waiting, paused)} since ${ago(found.started, now)}, process ${found.pid}, account ${found.address}`,
    `bought ${payments}, refused ${refusals}, failed ${failures}`,
    ...(proxy ? [`proxy   ${proxyText(proxy)}`] : []),
    ...(page ? [`page    http://127.0.0.1:${page.port}/#key=${page.key}`] : []),
    ...(configuration.refused ? [`the last reload was refused: ${configuration.refused}`] : []),
    ...(jobs.length > 0 ? ['', jobTable(found, now)] : []),
    ...(open.length > 0 && token ? ['', channelTable(open, { token, clock })] : []),
    ...(limits.length > 0 ? ['', limitTable(limits, money)] : []),
    ...(budget && budget.transactions.length > 0
      ? ['', transactionTable(budget.transactions)]
      : []),
    ...(found.behaviour.length > 0 ? ['', behaviourTable(found.behaviour, now)] : []),
    ...(troubles.length > 0 ? ['', 'last troubles:'] : []),
    ...troubles.slice(-5).map(({ time, message, code }) => {
      return `  ${ago(time, now)} ago: ${message}${code ? ` (${code})` : ''}`
    }),
  ]
}

function state(waiting: DaemonStatus['waiting'], paused: boolean): string {
  if (waiting !== undefined) return `waiting (${waiting.code}: ${waiting.message})`
  return paused ? 'paused' : 'running'
}

function proxyText({ port, socket }: NonNullable<DaemonStatus['proxy']>): string {
  return [port === undefined ? [] : `port ${port}`, socket ?? []].flat().join(', ')
}

function jobTable({ jobs, budget, token }: DaemonStatus, now: number): string {
  const limits = budget?.limits ?? []
  const money = (text: string | undefined) =>
    text === undefined || token === undefined ? '' : formatAmount(BigInt(text), token)
  return table(
    ['JOB', 'NEXT', 'LAST', 'PRICE', 'LEFT', 'STATE', 'WAITING'],
    jobs.map(({ name, next, last, state, spent, failures, sinks }) => {
      const all = last?.unfit === undefined ? 'ok' : `ok, nothing for ${last.unfit.join(', ')}`
      const good = last?.authentic ? `${all}, authentic` : all
      const result = last?.kind === 'done' ? good : (last?.error?.code ?? 'failed')
      const own = limits.filter(({ scope }) => scope === `job/${name}`)
      const waiting = sinks.reduce((sum, sink) => sum + sink.waiting, 0)
      return [
        name,
        next === undefined ? '' : `in ${ago(2 * now - next, now)}`,
        last === undefined ? 'never' : `${result}, ${ago(last.ended, now)} ago`,
        money(last?.price),
        own.map((limit) => `${money(`${left(limit)}`)} ${limit.window}`).join(', '),
        spent
          ? `budget spent, continues ${continuesWhen(spent.until, now)}`
          : failures > 1
            ? `${state}, ${failures} failures`
            : state,
        `${waiting}`,
      ]
    }),
  )
}

function limitTable(
  limits: readonly BudgetLimit[],
  money: (amount: TokenAmount) => string,
): string {
  return table(
    ['BUDGET', 'WINDOW', 'LIMIT', 'USED', 'LEFT'],
    limits.map((limit) => [
      limit.scope,
      limit.window,
      money(limit.cap),
      money(limit.used),
      money(left(limit)),
    ]),
  )
}

function behaviourTable(behaviour: DaemonStatus['behaviour'], now: number): string {
  return table(
    ['RECEIVER WITH TROUBLE', 'REFUSED', 'OVERCHARGED', 'BROKEN', 'LAST', 'WHAT IT GETS'],
    behaviour.map(({ receiver, refused, overcharged, broken, last, ...trust }) => [
      receiver,
      ...[refused, overcharged, broken].map((count) => count.toFixed(1)),
      `${last.code}, ${ago(last.time, now)} ago`,
      trustText(trust, now),
    ]),
  )
}

/** What a purchase does with a receiver now. */
export function trustText(
  { trust, leftAloneUntil = 0 }: Pick<ReceiverBehaviour, 'trust' | 'leftAloneUntil'>,
  now: number,
): string {
  if (trust === 'full') return 'payments and deposits'
  if (trust === 'noDeposit') return 'payments, no deposit'
  return `nothing for ${ago(2 * now - leftAloneUntil, now)}`
}

/** From `time` to now, in one unit. */
function ago(time: number, now: number): string {
  const seconds = Math.max(0, Math.round((now - time) / 1000))
  if (seconds < 120) return `${seconds} s`
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h`
  return `${Math.round(seconds / 86_400)} d`
}
