// uraiden-agent key new, import, address.
import { keyCommands } from '../../../platform/cli/keys.ts'
import { createOutput } from '../../../platform/cli/output.ts'
import { loadAgentConfig } from '../../program/configuration/config.ts'
import { passwordSources } from '../../program/configuration/load.ts'
import { configFile } from '../../program/configuration/places.ts'
import type { GlobalOptions } from './session.ts'

type KeyOptions = GlobalOptions & { readonly passwordFile?: string }

export const { keyNew, keyImport, keyAddress } = keyCommands<KeyOptions>({
  configured: ({ config }) => loadAgentConfig(configFile(config)),
  contextOf: ({ json, passwordFile }, configured) => ({
    output: createOutput(json ?? false),
    password: passwordSources(passwordFile ?? configured),
    advice: 'Send it tokens, and ether for the fees of transactions.',
  }),
})
