// uraiden-agent key new, import, address.
import { importKey, type KeyContext, newKey, showAddress } from '../../../platform/cli/keys.ts'
import { createOutput } from '../../../platform/cli/output.ts'
import { configFile, loadAgentConfig } from '../../program/configuration/config.ts'
import { passwordSources } from '../../program/configuration/settings.ts'
import { type ExitCode, exitCode } from './exit-codes.ts'
import type { GlobalOptions } from './session.ts'

export interface KeyOptions extends GlobalOptions {
  readonly passwordFile?: string
}

export async function keyNew(file: string, options: KeyOptions): Promise<ExitCode> {
  await newKey(file, contextOf(options))
  return exitCode.ok
}

export async function keyImport(from: string, to: string, options: KeyOptions): Promise<ExitCode> {
  await importKey(from, to, contextOf(options))
  return exitCode.ok
}

export async function keyAddress(file: string | undefined, options: KeyOptions): Promise<ExitCode> {
  const config = file === undefined ? await loadAgentConfig(configFile(options.config)) : undefined
  await showAddress(file ?? config?.key ?? '', contextOf(options, config?.password))
  return exitCode.ok
}

function contextOf({ json, passwordFile }: KeyOptions, configured?: string): KeyContext {
  return {
    output: createOutput(json ?? false),
    password: passwordSources(passwordFile ?? configured),
    advice: 'Send it tokens, and ether for the fees of transactions.',
  }
}
