// Where daemon and command line meet.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { stateFolder } from '../configuration/setup.ts'

/** RuntimeDirectory= of the unit. */
const serviceSocket = '/run/uraiden-agent/control.sock'

/** What of a configuration says where the daemon is. */
export interface DaemonPlace {
  readonly state?: string | undefined
  readonly control: { readonly socket?: string | undefined }
}

/** The configured one; in the configured state folder; under systemd in its runtime folder. */
export function daemonSocket(config: DaemonPlace, environment = process.env): string {
  const folder = config.state ?? environment.RUNTIME_DIRECTORY ?? stateFolder(config, environment)
  return config.control.socket ?? join(folder, 'control.sock')
}

/** Where a command looks for the daemon of this configuration. */
export function commandSocket(config: DaemonPlace, environment = process.env): string {
  const own = daemonSocket(config, environment)
  // Without a folder of its own in the configuration, the state is the service's where one runs.
  const service = config.control.socket === undefined && config.state === undefined
  return service && !existsSync(own) ? serviceSocket : own
}
