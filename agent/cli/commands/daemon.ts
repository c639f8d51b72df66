// uraiden-agent status, pause, resume, run-job, flush, reload: the daemon, asked over its socket.

import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { createOutput, type Output, toJson } from '../../../platform/cli/output.ts'
import { parseYaml } from '../../../platform/config/yaml.ts'
import type { Milliseconds } from '../../../platform/time/clock.ts'
import { formatAmount, isUraidenError } from '../../../protocol/index.ts'
import { type AgentConfig, loadAgentConfig } from '../../program/configuration/config.ts'
import { commandSocket, configFile, type PlacesConfig } from '../../program/configuration/places.ts'
import { type DaemonConnection, daemonOf } from '../../program/control/client.ts'
import { receiverNames } from '../text/names.ts'
import { statusText } from '../text/status.ts'
import { type ExitCode, exitCode } from './exit-codes.ts'
import type { GlobalOptions } from './session.ts'

async function withDaemon(
  options: GlobalOptions,
  work: (daemon: DaemonConnection, output: Output, known: Known) => Promise<void>,
): Promise<ExitCode> {
  const known = await placesOf(options)
  await work(await daemonOf(commandSocket(known)), createOutput(options.json ?? false), known)
  return exitCode.ok
}

/** Of a file that is broken only where the daemon is. */
type Known = PlacesConfig & Partial<Pick<AgentConfig, 'receivers' | 'timeZone'>>

const placesSchema = z.object({
  state: z.string().optional(),
  control: z.object({ socket: z.string().optional() }).default({}),
})

/** Where the daemon is. A file that somebody has just broken says it too: the daemon still runs. */
async function placesOf(options: GlobalOptions): Promise<Known> {
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
  return withDaemon(options, async (daemon, output, { receivers = {}, timeZone }) => {
    const nameOf = receiverNames(receivers)
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
