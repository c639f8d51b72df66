// uraiden-agent accept: the receiver that announces a name now is the right one from here on.

import { createOutput, toJson } from '../../../platform/cli/output.ts'
import { createBrowse } from '../../discovery/browse.ts'
import { createPins, pinOf } from '../../discovery/pins.ts'
import { accept } from '../../discovery/search.ts'
import { serviceName } from '../../discovery/service-name.ts'
import { agentError } from '../../errors/index.ts'
import { type AgentConfig, loadAgentConfig } from '../../program/configuration/config.ts'
import { contractsOf } from '../../program/configuration/contracts.ts'
import { configFile, stateFolder } from '../../program/configuration/places.ts'
import { type ExitCode, exitCode } from './exit-codes.ts'
import type { GlobalOptions } from './session.ts'

export async function acceptReceiver(target: string, options: GlobalOptions): Promise<ExitCode> {
  const output = createOutput(options.json ?? false)
  const config = await loadAgentConfig(configFile(options.config))
  const name = announcedName(config, target)
  const pins = createPins(stateFolder(config))
  const before = pinOf(pins, name)
  const { discovery } = config
  const found = await output.during('listening', () =>
    accept(
      { name, address: undefined, contracts: contractsOf(config) },
      { browse: createBrowse(discovery), pins },
    ),
  )
  const { receiver } = found.announcement
  const url = found.url.origin
  if (output.json) output.print(toJson({ name, receiver, url, before: before?.receiver }))
  else {
    const was = before && before.receiver !== receiver ? `, no longer ${before.receiver}` : ''
    output.print(`${name} is ${receiver} at ${url}${was}`)
  }
  return exitCode.ok
}

/** Of a receiver in the configuration: its name there, or the one it announces. */
function announcedName({ receivers }: AgentConfig, target: string): string {
  for (const [own, { url, address }] of Object.entries(receivers)) {
    const name = serviceName(new URL(url))
    if (name === undefined || (own !== target && name !== target)) continue
    if (address === undefined) return name
    throw agentError({
      code: 'usage_accept',
      message: `receivers.${own} has its address in the configuration.`,
      hint: 'Change receivers.*.address there.',
    })
  }
  throw agentError({
    code: 'usage_accept',
    message: `No receiver in the configuration is looked for as "${target}".`,
    hint: 'Give it the url dns-sd:NAME there.',
  })
}
