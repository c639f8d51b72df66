// What a command needs, made from the command line's options: configuration, key, chain.
import { existsSync } from 'node:fs'
import { type ChainClient, connectChain } from '../../../platform/chain/index.ts'
import { passwordFrom } from '../../../platform/cli/keys.ts'
import { usualConfigFile, usualStateFolder } from '../../../platform/cli/places.ts'
import { loadSigner, type PasswordSources } from '../../../platform/keys/index.ts'
import type { Signer } from '../../../protocol/index.ts'
import {
  loadReceiverConfig,
  type ReceiverConfig,
  receiverOptions,
  variables,
} from '../../program/config.ts'
import { configOptions, type GlobalOptions } from './options.ts'

/** The named file, the variable's, a person's own, the system's; undefined when there is none. */
export function configFile(
  { config }: GlobalOptions,
  environment = process.env,
): string | undefined {
  const named = config ?? environment[variables.config]
  if (named !== undefined) return named
  const usual = usualConfigFile('receiver.yaml', environment)
  return existsSync(usual) ? usual : undefined
}

/** @throws UraidenError `config_missing`, `config_unreadable`, `config_invalid` */
export function openConfig(options: GlobalOptions): Promise<ReceiverConfig> {
  return loadReceiverConfig({ file: configFile(options), options: configOptions(options) })
}

/** The configured one, else where such folders usually are. */
export function stateFolder({ state }: ReceiverConfig, environment = process.env): string {
  return state ?? usualStateFolder('uraiden-receiver', environment)
}

/** `warn` is told in a sentence what is allowed but unwise. */
export function openSigner(
  config: ReceiverConfig,
  warn: (message: string) => void,
): Promise<Signer> {
  return loadSigner({ file: config.key, password: passwordSources(config.password), warn })
}

/** Undefined when the receiver's account pays for relayed transactions, or nobody does. */
export async function openRelaySigner(
  { relay }: ReceiverConfig,
  warn: (message: string) => void,
): Promise<Signer | undefined> {
  if (relay?.key === undefined) return undefined
  const variable = variables.relayPassword
  const password = { file: relay.password, variable, credential: 'relay-key-password' }
  return loadSigner({ file: relay.key, password: passwordFrom(password), warn })
}

export function openChain(config: ReceiverConfig): Promise<ChainClient> {
  return connectChain(receiverOptions(config))
}

/** Where the password of the receiver's key is looked for. */
export function passwordSources(file: string | undefined): PasswordSources {
  return passwordFrom({ file, variable: variables.password, credential: 'receiver-key-password' })
}
