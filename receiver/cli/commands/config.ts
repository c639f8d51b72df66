// uraiden-receiver config check and schema.
import { createOutput, toJson } from '../../../platform/cli/output.ts'
import { jsonSchemaOf } from '../../../platform/config/index.ts'
import { loadReceiverConfig, receiverConfig } from '../../program/config.ts'
import { type ExitCode, exitCode } from './exit-codes.ts'
import { configOptions, type GlobalOptions } from './options.ts'
import { configFile } from './session.ts'

export async function configCheck(
  named: string | undefined,
  options: GlobalOptions,
): Promise<ExitCode> {
  const file = named ?? configFile(options)
  const output = createOutput(options.json ?? false)
  const config = await loadReceiverConfig({ file, options: configOptions(options) })
  output.print(output.json ? toJson({ file, config }) : `${file ?? 'What was given'} is right.`)
  return exitCode.ok
}

export async function configSchema(): Promise<ExitCode> {
  createOutput(true).print(toJson({ title: 'receiver.yaml', ...jsonSchemaOf(receiverConfig) }))
  return exitCode.ok
}
