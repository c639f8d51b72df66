// uraiden-agent status, pause, resume, run-job, flush, reload: the daemon, asked over its socket.

import { setTimeout as sleep } from 'node:timers/promises'
import { createOutput, type Output, toJson } from '../../../platform/cli/output.ts'
import type { Milliseconds } from '../../../platform/time/clock.ts'
import { formatAmount } from '../../../protocol/index.ts'
import type { Known } from '../../program/configuration/known.ts'
import type { DaemonConnection } from '../../program/control/client.ts'
import { receiverNames } from '../text/names.ts'
import { statusText } from '../text/status.ts'
import { type ExitCode, exitCode } from './exit-codes.ts'
import { daemonOf } from './its-daemon.ts'
import type { GlobalOptions } from './session.ts'

async function withDaemon(
  options: GlobalOptions,
  work: (daemon: DaemonConnection, output: Output, known: Known) => Promise<void>,
): Promise<ExitCode> {
  const { connection, known } = await daemonOf(options)
  await work(connection, createOutput(options.json ?? false), known)
  return exitCode.ok
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
    const { status, bytes, unfit, payment } = outcome
    const unit = payment?.x402?.unit ?? (await daemon.command('status', {})).token
    const cost = unit === undefined ? '' : `, cost ${formatAmount(payment?.cost ?? 0n, unit)}`
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

export interface StatusOptions extends GlobalOptions {
  readonly watch?: boolean
}

/** Between two looks. */
const watchInterval: Milliseconds = 2000

export function status(options: StatusOptions): Promise<ExitCode> {
  return withDaemon(options, async (daemon, output, { receivers, timeZone }) => {
    const nameOf = receiverNames(receivers.receivers)
    const show = async (): Promise<void> => {
      const found = await daemon.command('status', {})
      if (output.json) return output.print(toJson(found))
      const lines = statusText(found, { now: Date.now(), timeZone, nameOf })
      if (options.watch === true) output.clear()
      output.print(lines.join('\n'))
    }
    if (options.watch === true) await watch(show, endOfWatch())
    else await show()
  })
}

/** Shows it again and again, until `end`. @throws what `show` throws */
export async function watch(
  show: () => Promise<void>,
  end: AbortSignal,
  interval = watchInterval,
): Promise<void> {
  while (!end.aborted) {
    await show()
    await sleep(interval, undefined, { signal: end }).catch(() => undefined)
  }
}

function endOfWatch(): AbortSignal {
  const end = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => end.abort())
  return end.signal
}
