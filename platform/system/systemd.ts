// What systemd is told, sd_notify(3). Node opens no datagram sockets in the Unix domain. The package's unit starts the
// program with one that is open (deploy/pi/debian/notifying). In another unit the helper systemd-notify(1), which is
// part of every systemd, sends it: that unit says NotifyAccess=all.
import { execFile } from 'node:child_process'
import { write } from 'node:fs'
import { createTurns } from '../async/turns.ts'

export interface ServiceManager {
  readonly ready: (status: string) => void
  readonly status: (status: string) => void
  readonly reloading: () => void
  readonly stopping: () => void
  /** Says from now on, as often as systemd wants, that the event loop still turns. */
  readonly keepAlive: () => void
  /** Resolves when all that was said has been sent. */
  readonly close: () => Promise<void>
}

export interface ServiceManagerOptions {
  readonly environment: NodeJS.ProcessEnv
  readonly onFailed: (error: unknown) => void
}

/** Does nothing where the process was not started by systemd. */
export function createServiceManager(options: ServiceManagerOptions): ServiceManager {
  const { environment, onFailed } = options
  const turns = createTurns()
  let timer: NodeJS.Timeout | undefined
  let status = ''
  const send = (...assignments: readonly string[]): void => {
    if (environment.NOTIFY_SOCKET === undefined) return
    // In order, one process at a time.
    turns.take(() => notify(assignments, environment)).catch(onFailed)
  }
  const told = (text: string): string => {
    status = text
    return `STATUS=${text}`
  }
  return {
    ready: (text) => send('READY=1', told(text)),
    status: (text) => {
      if (text !== status) send(told(text))
    },
    reloading: () => send('RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`),
    stopping: () => send('STOPPING=1', 'STATUS=stopping'),
    keepAlive: () => {
      const interval = watchdogInterval(environment)
      if (interval !== undefined) timer = setInterval(() => send('WATCHDOG=1'), interval)
    },
    close: () => {
      clearInterval(timer)
      return turns.idle()
    },
  }
}

/** In milliseconds: half of what systemd waits, as sd_watchdog_enabled(3) recommends; undefined without a watchdog. */
export function watchdogInterval(environment: NodeJS.ProcessEnv): number | undefined {
  const { WATCHDOG_USEC, WATCHDOG_PID } = environment
  const microseconds = Number(WATCHDOG_USEC)
  if (!(microseconds > 0)) return undefined
  if (WATCHDOG_PID !== undefined && Number(WATCHDOG_PID) !== process.pid) return undefined
  return Math.max(1, Math.floor(microseconds / 2000))
}

function notify(assignments: readonly string[], environment: NodeJS.ProcessEnv): Promise<void> {
  const { URAIDEN_NOTIFY_FD: descriptor } = environment
  return new Promise((resolve, reject) => {
    const sent = (error: Error | null): void => (error === null ? resolve() : reject(error))
    if (descriptor !== undefined) write(Number(descriptor), assignments.join('\n'), sent)
    else execFile('systemd-notify', [...assignments], { env: environment, timeout: 5000 }, sent)
  })
}
