// uraiden-agent discover: who sells in the local network.

import { createOutput, table, toJson } from '../../../platform/cli/output.ts'
import { isUraidenError, type UraidenError } from '../../../protocol/index.ts'
import { createBrowse, type FoundReceiver } from '../../discovery/browse.ts'
import { agentError } from '../../errors/index.ts'
import { type AgentConfig, loadAgentConfig } from '../../program/configuration/config.ts'
import { contractsOf } from '../../program/configuration/contracts.ts'
import { configFile } from '../../program/configuration/places.ts'
import { type ExitCode, exitCode } from './exit-codes.ts'
import type { GlobalOptions } from './session.ts'

export interface DiscoverOptions extends GlobalOptions {
  /** Seconds. */
  readonly wait: string
}

export async function discover(options: DiscoverOptions): Promise<ExitCode> {
  const seconds = Number(options.wait)
  if (!(seconds > 0 && seconds <= 60)) throw notATime(options.wait)
  const output = createOutput(options.json ?? false)
  const config = await configuration(options)
  const found = await output.during('listening', () =>
    createBrowse(config?.discovery)(seconds * 1000),
  )
  const rows = found.map((receiver) => ({ ...facts(receiver), use: use(receiver, config) }))
  if (output.json) output.print(toJson(rows))
  else if (rows.length === 0) output.print('nobody announces a receiver here')
  else {
    const cells = rows.map(({ name, url, price, receiver, use }) => {
      return [name, url, price ?? '', receiver, use]
    })
    output.print(table(['NAME', 'URL', 'PRICE', 'RECEIVER', 'USE'], cells))
  }
  return exitCode.ok
}

/** Looking around needs none: it is what one does before writing one. */
async function configuration({ config }: GlobalOptions): Promise<AgentConfig | undefined> {
  try {
    return await loadAgentConfig(configFile(config))
  } catch (error) {
    if (config === undefined && isUraidenError(error, 'config_missing')) return undefined
    throw error
  }
}

function facts({ name, url, announcement }: FoundReceiver) {
  const { receiver, contract, chainId, price } = announcement
  return { name, url: url.origin, price, receiver, contract, chainId }
}

/** What to write into the configuration, or what is there already. Nobody vouches for an announcement. */
function use({ name, announcement }: FoundReceiver, config: AgentConfig | undefined): string {
  if (config === undefined) return `url: dns-sd:${name}`
  if (!contractsOf(config).includes(announcement.contract)) return 'another contract than yours'
  const [known] =
    Object.entries(config.receivers).find(([, { address }]) => address === announcement.receiver) ??
    []
  return known === undefined ? `url: dns-sd:${name}` : `configured as ${known}`
}

function notATime(text: string): UraidenError {
  return agentError({
    code: 'usage_wait',
    message: `"${text}" is not a time to wait.`,
  })
}
