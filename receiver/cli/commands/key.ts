// uraiden-receiver key new, import, address.
import { importKey, type KeyContext, newKey, showAddress } from '../../../platform/cli/keys.ts'
import { createOutput } from '../../../platform/cli/output.ts'
import { type ExitCode, exitCode } from './exit-codes.ts'
import type { GlobalOptions } from './options.ts'
import { openConfig, passwordSources } from './session.ts'

export async function keyNew(file: string, options: GlobalOptions): Promise<ExitCode> {
  await newKey(file, contextOf(options))
  return exitCode.ok
}

export async function keyImport(
  from: string,
  to: string,
  options: GlobalOptions,
): Promise<ExitCode> {
  await importKey(from, to, contextOf(options))
  return exitCode.ok
}

export async function keyAddress(
  file: string | undefined,
  options: GlobalOptions,
): Promise<ExitCode> {
  const config = file === undefined ? await openConfig(options) : undefined
  await showAddress(file ?? config?.key ?? '', contextOf(options, config?.password))
  return exitCode.ok
}

function contextOf(options: GlobalOptions, configured?: string): KeyContext {
  const { json, passwordFile, privateKeyPasswordFile } = options
  return {
    output: createOutput(json ?? false),
    password: passwordSources(passwordFile ?? privateKeyPasswordFile ?? configured),
    advice: 'Send it ether for the fees of transactions; it needs no tokens.',
  }
}
