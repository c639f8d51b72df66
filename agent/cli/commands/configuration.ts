// uraiden-agent config check and schema.
import { configCommands } from '../../../platform/cli/config.ts'
import { agentConfig, loadAgentConfig } from '../../program/configuration/config.ts'
import { configFile, configName } from '../../program/configuration/places.ts'
import type { GlobalOptions } from './session.ts'

export const { configCheck, configSchema } = configCommands<GlobalOptions>({
  name: configName,
  schema: agentConfig,
  fileOf: (named, { config }) => named ?? configFile(config),
  load: (file, { config }) => loadAgentConfig(file ?? configFile(config)),
})
