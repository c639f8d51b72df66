// uraiden-agent run: the daemon, until a signal ends it.
import { startDaemon } from '../../daemon/daemon.ts'
import { errorFacts } from '../../daemon/log.ts'
import { createServiceManager } from '../../daemon/systemd.ts'
import { configFile } from '../../setup.ts'
import { type ExitCode, exitCode } from '../exit-codes.ts'
import type { GlobalOptions } from '../session.ts'

export async function run(options: GlobalOptions): Promise<ExitCode> {
  const environment = process.env
  const manager = createServiceManager({
    environment,
    onFailed: (error) => daemon?.journal.trouble('systemd', 'systemd cannot be told', error),
  })
  let status = 'ready'
  const ended = endSignal()
  let daemon: Awaited<ReturnType<typeof startDaemon>> | undefined
  try {
    daemon = await startDaemon({
      configFile: configFile(options.config),
      environment,
      write: (text) => void process.stderr.write(text),
      terminal: process.stderr.isTTY === true,
      onStatus: (text) => {
        status = text
        manager.status(text)
      },
    })
    const running = daemon
    process.on('SIGHUP', () => {
      manager.reloading()
      // It says itself why it refuses one.
      running
        .reload()
        .catch(() => undefined)
        .then(() => manager.ready(status))
    })
    manager.ready(status)
    manager.keepAlive()
    const signal = await ended
    running.journal.log.info(`${signal}: stopping`)
    manager.stopping()
    await running.stop()
    return exitCode.ok
  } catch (error) {
    // A person's terminal gets it from the command line's own error line.
    if (daemon !== undefined) daemon.journal.log.error('stopped', errorFacts(error))
    throw error
  } finally {
    await manager.close()
  }
}

function endSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, resolve)
  })
}
