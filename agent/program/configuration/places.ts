// Where the agent finds its configuration, where it keeps its state, and where daemon and command line meet.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { usualConfigFile, usualStateFolder } from '../../../platform/cli/places.ts'

/** Variables with the prefix that are no settings. */
export const variables = {
  prefix: 'URAIDEN_AGENT_',
  config: 'URAIDEN_AGENT_CONFIG',
  /** Not `URAIDEN_AGENT_PASSWORD`: that one overrides the name of the password file. */
  password: 'URAIDEN_AGENT_KEY_PASSWORD',
} as const

/** As people know it. */
export const configName = 'agent.yaml'

/** The named file, the variable's, a person's own, the system's. */
export function configFile(named: string | undefined, environment = process.env): string {
  return named ?? environment[variables.config] ?? usualConfigFile(configName, environment)
}

/** The name of the credential with the key that systemd has sealed. */
export const sealedKey = 'agent-key'

/** RuntimeDirectory= of the unit. */
const serviceSocket = '/run/uraiden-agent/control.sock'

/** What of a configuration says where things are. */
export interface PlacesConfig {
  readonly state?: string | undefined
  readonly control: { readonly socket?: string | undefined }
}

/** The configured one, else where such folders usually are. */
export function stateFolder(
  { state }: Pick<PlacesConfig, 'state'>,
  environment = process.env,
): string {
  return state ?? usualStateFolder('uraiden-agent', environment)
}

/** The configured one; in the configured state folder; under systemd in its runtime folder. */
export function daemonSocket(config: PlacesConfig, environment = process.env): string {
  const folder = config.state ?? environment.RUNTIME_DIRECTORY ?? stateFolder(config, environment)
  return config.control.socket ?? join(folder, 'control.sock')
}

/** Where a command looks for the daemon of this configuration. */
export function commandSocket(config: PlacesConfig, environment = process.env): string {
  const own = daemonSocket(config, environment)
  // Without a folder of its own in the configuration, the state is the service's where one runs.
  const service = config.control.socket === undefined && config.state === undefined
  return service && !existsSync(own) ? serviceSocket : own
}
