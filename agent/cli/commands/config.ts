// uraiden-agent config check and schema.

import { createOutput, toJson } from '../../../platform/cli/output.ts'
import { jsonSchemaOf } from '../../../platform/config/index.ts'
import { agentConfig, configFile, loadAgentConfig } from '../../program/configuration/config.ts'
import { type ExitCode, exitCode } from './exit-codes.ts'
import type { GlobalOptions } from './session.ts'

export async function configCheck(
  file: string | undefined,
  options: GlobalOptions,
): Promise<ExitCode> {
  const path = file ?? configFile(options.config)
  const output = createOutput(options.json ?? false)
  const config = await loadAgentConfig(path)
  output.print(output.json ? toJson({ file: path, config }) : `${path} is right.`)
  return exitCode.ok
}

export async function configSchema(): Promise<ExitCode> {
  createOutput(true).print(toJson({ title: 'agent.yaml', ...jsonSchemaOf(agentConfig) }))
  return exitCode.ok
}
