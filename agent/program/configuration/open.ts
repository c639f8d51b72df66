// An agent of a configuration: that of a command, or of somebody else's program.
import { join } from 'node:path'
import type { TokenUnit } from '../../../protocol/index.ts'
import { createAgent } from '../../agent.ts'
import type { Agent, AgentOptions } from '../../options.ts'
import { chainFacts, chainSettings } from './chain.ts'
import { type AgentConfig, loadAgentConfig } from './config.ts'
import { type Known, knownOf } from './known.ts'
import { openKey } from './load.ts'
import { configFile, stateFolder } from './places.ts'
import { policyOptions, purchaseSettings } from './purchasing.ts'
import { openReceivers, plansAt, type Receivers, receiverSettings } from './receivers.ts'

/** What a program may have different from its configuration. */
export type OwnOptions = Pick<AgentOptions, 'hooks' | 'onChannelChange' | 'receivers' | 'dryRun'>

/** See from.ts. */
export async function createAgentFrom(file?: string, own: OwnOptions = {}): Promise<Agent> {
  const config = await loadAgentConfig(configFile(file))
  const { agent } = await openAgent(config, openReceivers(receiverSettings(config)), own)
  return agent
}

export function knownFrom(config: AgentConfig): Known {
  const { jobs } = config
  const purchasing = purchaseSettings(config)
  const receivers = receiverSettings(config)
  return knownOf({ chain: chainSettings(config), receivers, purchasing, jobs })
}

export interface OpenedAgent {
  readonly agent: Agent
  readonly token: TokenUnit
}

/** @throws UraidenError those of `createAgentFrom` */
export async function openAgent(
  config: AgentConfig,
  receivers: Receivers,
  own: OwnOptions = {},
): Promise<OpenedAgent> {
  const chain = chainSettings(config)
  const { signer } = await openKey(config, process.env)
  const folder = stateFolder(config)
  const { chainId, symbol, decimals } = await chainFacts(chain, folder)
  const token = { symbol, decimals }
  const purchasing = purchaseSettings(config)
  const agent = await createAgent({
    ...chain,
    ...policyOptions(purchasing, token),
    ...plansAt(purchasing.x402, receivers),
    receiverAt: (url) => receivers.receiverAt(url),
    bound: (url, receiver) => receivers.boundAt(url, receiver),
    ...{ signer, chainId, store: join(folder, 'ledger') },
    ...own,
  })
  return { agent, token }
}
