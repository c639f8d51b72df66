// uraiden-agent run: the daemon, until a signal ends it.

import { setTimeout as sleep } from 'node:timers/promises'
import { createServiceManager, type ServiceManager } from '../../../platform/system/systemd.ts'
import { takeOver } from '../../program/configuration/handover.ts'
import { keptSettings } from '../../program/configuration/kept.ts'
import { configFile } from '../../program/configuration/places.ts'
import type { Daemon, DaemonOptions } from '../../program/daemon/daemon.ts'
import { type ExitCode, exitCode } from './exit-codes.ts'
import { readerCommand } from './reader-command.ts'
import type { GlobalOptions } from './session.ts'

/** What a start may still take when the end is asked for, in milliseconds. */
const longestStart = 5000

export async function run(options: GlobalOptions): Promise<ExitCode> {
  const environment = process.env
  let daemon: Daemon | undefined
  let status = 'ready'
  const manager = createServiceManager({
    environment,
    onFailed: (error) => daemon?.journal.warn('systemd', 'systemd cannot be told', error),
  })
  const ended = endSignal()
  // One that comes before the daemon runs must not end the process; its configuration is just being read.
  process.on('SIGHUP', () => {
    if (daemon !== undefined) void reload(daemon, manager, () => status)
  })
  const file = configFile(options.config)
  const reader = { command: [...thisProgram(), readerCommand, file], environment }
  const reading = {
    first: async () => (await keptSettings({ file, environment })) ?? takeOver(reader),
    again: () => takeOver(reader),
  }
  const starting = startedWith(reading, {
    configFile: file,
    environment,
    write: (text) => void process.stderr.write(text),
    terminal: process.stderr.isTTY === true,
    onStatus: (text) => {
      status = text
      manager.status(text)
    },
  })
  try {
    daemon = await startedBefore(starting, ended)
    if (daemon === undefined) {
      // What hangs there has promised nothing yet.
      manager.stopping()
      await manager.close()
      process.exit(exitCode.ok)
    }
    manager.ready(status)
    manager.keepAlive()
    const signal = await ended
    daemon.journal.log.info(`${signal}: stopping`)
    manager.stopping()
    await daemon.stop()
    return exitCode.ok
  } finally {
    await manager.close()
  }
}

/** The first settings are read while the daemon's own code is being loaded: a Pi has several cores. */
async function startedWith(
  read: Readonly<Record<'first' | 'again', DaemonOptions['readSettings']>>,
  options: Omit<DaemonOptions, 'readSettings'>,
): Promise<Daemon> {
  let first: ReturnType<DaemonOptions['readSettings']> | undefined = read.first()
  // Told when it is asked for.
  first.catch(() => undefined)
  const { startDaemon } = await import('../../program/daemon/daemon.ts')
  const readSettings = () => {
    const next = first ?? read.again()
    first = undefined
    return next
  }
  return startDaemon({ ...options, readSettings })
}

/** As it was started, without its own arguments. */
function thisProgram(): readonly string[] {
  const { execPath, execArgv, argv } = process
  // An executable of its own has no file to name. Node 20 has none of them.
  const isWhole = process.getBuiltinModule?.('node:sea')?.isSea() === true
  return isWhole ? [execPath] : [execPath, ...execArgv, argv[1] ?? '']
}

/** Undefined when the end is asked for, and the start does not come to one. */
async function startedBefore(
  starting: Promise<Daemon>,
  ended: Promise<NodeJS.Signals>,
): Promise<Daemon | undefined> {
  const started = new AbortController()
  // A timer that runs on would keep the process that long after its end.
  const late = ended.then(() => sleep(longestStart, undefined, { signal: started.signal }))
  try {
    return await Promise.race([starting, late])
  } finally {
    started.abort()
    late.catch(() => undefined)
  }
}

async function reload(
  daemon: Daemon,
  manager: ServiceManager,
  status: () => string,
): Promise<void> {
  manager.reloading()
  // It says itself why it refuses one.
  await daemon.reload().catch(() => undefined)
  manager.ready(status())
}

function endSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, resolve)
  })
}
