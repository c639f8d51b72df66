// The daemon that a command means: the one of the same configuration. What it has read of it need not be read again,
// so that the configuration is read here only where the daemon is not to be found without.
import { realpathSync, statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Output } from '../../../platform/cli/output.ts'
import { ifFits, object, optional, text } from '../../../platform/shapes/shape.ts'
import { defined, isUraidenError } from '../../../protocol/index.ts'
import { agentError } from '../../errors/index.ts'
import type { AgentConfig } from '../../program/configuration/config.ts'
import type { Known, ReadByDaemon } from '../../program/configuration/known.ts'
import {
  commandSocket,
  configFile,
  type PlacesConfig,
  stateFolder,
} from '../../program/configuration/places.ts'
import { writtenPlaces } from '../../program/configuration/written-places.ts'
import { connectToDaemon, type DaemonConnection } from '../../program/control/client.ts'

export interface ItsDaemon {
  readonly connection: DaemonConnection
  /** What applies, also where the file has changed since the daemon read it. */
  readonly known: Known
  /** Says where that is so. */
  readonly sayChanged: (output: Output) => void
}

interface Options {
  readonly config?: string
}

/** The daemon, or the configuration of whoever has to do without. @throws UraidenError those of `findDaemon` */
export async function daemonOrConfig(options: Options): Promise<ItsDaemon | AgentConfig> {
  const found = await daemonOrPlaces(options)
  // A broken file has said where to look, and no more.
  return 'connection' in found || 'rpc' in found ? found : readWhole(options)
}

/** @throws UraidenError `daemon_not_running`, those of `findDaemon` */
export async function daemonOf(options: Options): Promise<ItsDaemon> {
  const found = await daemonOrPlaces(options)
  if ('connection' in found) return found
  throw agentError({
    code: 'daemon_not_running',
    message: `No daemon answers on ${commandSocket(found)}.`,
  })
}

async function daemonOrPlaces(options: Options): Promise<ItsDaemon | AgentConfig | PlacesConfig> {
  const plain = await plainlyFound(options)
  if (plain !== undefined) return plain
  const places = await readPlaces(options)
  return (await findDaemon(places, options)) ?? places
}

/**
 * Undefined when none runs. Places that are not set are the same for every configuration: another one's daemon would
 * pay with its account.
 * @throws UraidenError `daemon_of_another_configuration`, those of `connectToDaemon`
 */
export async function findDaemon(
  places: PlacesConfig,
  options: Options,
): Promise<ItsDaemon | undefined> {
  const connection = await connectToDaemon(commandSocket(places))
  if (connection === undefined) return undefined
  const own = configFile(options.config)
  const read = await connection.command('configuration', {})
  if (placeOf(own) === placeOf(read.file)) return itsDaemon(connection, read, places)
  throw agentError({
    code: 'daemon_of_another_configuration',
    message: `The daemon that runs has the configuration ${read.file}, not ${own}.`,
  })
}

/** Where places are plain to see in the file. What is wrong with the one there is said by whoever reads them. */
async function plainlyFound(options: Options): Promise<ItsDaemon | undefined> {
  const places = writtenPlaces(configFile(options.config))
  return places && findDaemon(places, options).catch(() => undefined)
}

/** What is found by name is remembered where the command's own places are: the daemon's may be another user's. */
function itsDaemon(
  connection: DaemonConnection,
  { file, loaded, known }: ReadByDaemon,
  places: PlacesConfig,
): ItsDaemon {
  const receivers = { ...known.receivers, folder: stateFolder(places) }
  const sayChanged = (output: Output): void => {
    const { mtimeMs = 0 } = statSync(file, { throwIfNoEntry: false }) ?? {}
    if (mtimeMs <= loaded) return
    output.say(
      `${file} has changed since the daemon read it, and what it has read applies. After: uraiden-agent reload`,
    )
  }
  return { connection, known: { ...known, receivers }, sayChanged }
}

const placesShape = object({
  state: optional(text()),
  control: optional(object({ socket: optional(text()) })),
})

/** All of the configuration; of one that somebody has just broken only where the daemon is, which still runs. */
async function readPlaces(options: Options): Promise<AgentConfig | PlacesConfig> {
  try {
    return await readWhole(options)
  } catch (error) {
    if (!isUraidenError(error, 'config_invalid')) throw error
    const file = configFile(options.config)
    const { parseYaml } = await import('../../../platform/config/yaml.ts')
    const places = ifFits(placesShape, parseYaml(await readFile(file, 'utf8'), file).value)
    if (places === undefined) throw error
    return { control: {}, ...defined(places) }
  }
}

/** @throws UraidenError those of `loadAgentConfig` */
async function readWhole(options: Options): Promise<AgentConfig> {
  const { loadAgentConfig } = await import('../../program/configuration/config.ts')
  return loadAgentConfig(configFile(options.config))
}

/** Wherever links lead. */
function placeOf(file: string): string {
  try {
    return realpathSync(file)
  } catch {
    return resolve(file)
  }
}
