// uraiden-agent key seal: the key under systemd's care, so that the service starts without a password.
import { join } from 'node:path'
import { createOutput, toJson } from '../../../platform/cli/output.ts'
import { sealKeyFile } from '../../../platform/keys/index.ts'
import { loadAgentConfig } from '../../program/configuration/config.ts'
import { passwordSources } from '../../program/configuration/load.ts'
import { configFile, sealedKey } from '../../program/configuration/places.ts'
import { type ExitCode, exitCode } from './exit-codes.ts'
import type { GlobalOptions } from './session.ts'

export interface SealOptions extends GlobalOptions {
  readonly output?: string
  readonly passwordFile?: string
}

/** systemd.exec(5): where systemd looks for the encrypted credentials that a unit names. */
const credentials = '/etc/credstore.encrypted'

export async function sealKey(named: string | undefined, options: SealOptions): Promise<ExitCode> {
  const output = createOutput(options.json ?? false)
  const config = named === undefined ? await loadAgentConfig(configFile(options.config)) : undefined
  const file = named ?? config?.key ?? ''
  const password = passwordSources(options.passwordFile ?? config?.password)
  const sealed = options.output ?? join(credentials, sealedKey)
  const from = { file, password, warn: output.say }
  const { address } = await sealKeyFile(from, { name: sealedKey, file: sealed })
  if (output.json) output.print(toJson({ file: sealed, address }))
  else {
    output.print(`Key of ${address} sealed in ${sealed}: only this machine decrypts it.`)
    output.print('The service takes it from its next start, and needs no password any more.')
    output.print(`Keep a copy of ${file} and its password elsewhere: they open it on any machine.`)
  }
  return exitCode.ok
}
