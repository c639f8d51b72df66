// What a command needs, made from the command line's options: configuration and settings.
import { existsSync } from 'node:fs'
import { usualConfigFile } from '../../../platform/cli/places.ts'
import {
  loadReceiverConfig,
  type ProgramNames,
  type ReceiverConfig,
  receiverNames,
} from '../../program/config.ts'
import { type ReceiverSettings, receiverSettings } from '../../program/settings.ts'
import { configOptions, type GlobalOptions } from './options.ts'

/** The named file, the variable's, a person's own, the system's; undefined when there is none. */
export function configFile(
  { config }: GlobalOptions,
  { file, variables }: ProgramNames,
  environment = process.env,
): string | undefined {
  const named = config ?? environment[variables.config]
  if (named !== undefined) return named
  const usual = usualConfigFile(file, environment)
  return existsSync(usual) ? usual : undefined
}

/** @throws UraidenError `config_missing`, `config_unreadable`, `config_invalid` */
export function openConfig(options: GlobalOptions): Promise<ReceiverConfig> {
  const file = configFile(options, receiverNames)
  return loadReceiverConfig({ file, options: configOptions(options) })
}

/** @throws UraidenError those of `openConfig` */
export async function openSettings(options: GlobalOptions): Promise<ReceiverSettings> {
  return receiverSettings(await openConfig(options))
}
