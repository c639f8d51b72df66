// What a command needs, made from the command line's options: configuration, key, agent.
import { join } from 'node:path'
import { createOutput, type Output } from '../../../platform/cli/output.ts'
import { type ChainBlock, parseBlockNumber, type TokenUnit } from '../../../protocol/index.ts'
import { createAgent } from '../../agent.ts'
import { type ChainSettings, chainFacts, chainSettings } from '../../program/configuration/chain.ts'
import { type AgentConfig, loadAgentConfig } from '../../program/configuration/config.ts'
import { openKey } from '../../program/configuration/load.ts'
import { commandSocket, configFile, stateFolder } from '../../program/configuration/places.ts'
import {
  jobNames,
  policyOptions,
  purchaseSettings,
} from '../../program/configuration/purchasing.ts'
import {
  openReceivers,
  type Receivers,
  receiverSettings,
} from '../../program/configuration/receivers.ts'
import { connectToDaemon, type RemoteAgent } from '../../program/control/client.ts'

/** Options that every command has. */
export interface GlobalOptions {
  readonly config?: string
  readonly json?: boolean
}

export interface Session {
  readonly chain: ChainSettings
  readonly receivers: Receivers
  readonly budget: AgentConfig['budget']
  /** Names that a purchase may be counted against. */
  readonly jobs: readonly string[]
  readonly output: Output
  /** The daemon's or one's own. */
  readonly agent: RemoteAgent
  readonly token: TokenUnit
}

/** Runs `work` with the daemon's agent when one runs, else with one of its own that it stops. */
export async function withAgent<Value>(
  options: GlobalOptions & { readonly dryRun?: boolean },
  work: (session: Session) => Promise<Value>,
): Promise<Value> {
  const output = createOutput(options.json ?? false)
  const config = await loadAgentConfig(configFile(options.config))
  const chain = chainSettings(config)
  const receivers = openReceivers(receiverSettings(config))
  const known = { chain, receivers, budget: config.budget, jobs: jobNames(config), output }
  const daemon = await connectToDaemon(commandSocket(config))
  if (daemon !== undefined) {
    const [agent, token] = [await daemon.agent(), await daemon.token()]
    return work({ ...known, agent, token })
  }
  const { signer } = await openKey(config, process.env, output.say)
  const folder = stateFolder(config)
  const { chainId, ...token } = await chainFacts(chain, folder)
  const agent = await createAgent({
    ...chain,
    ...policyOptions(purchaseSettings(config), token),
    receiverAt: (url) => receivers.receiverAt(url),
    bound: (url, receiver) => receivers.boundAt(url, receiver),
    signer,
    chainId,
    store: join(folder, 'ledger'),
  })
  try {
    return await work({ ...known, agent, token })
  } finally {
    await agent.stop()
  }
}

/** The option `--from-block`. @throws UraidenError `not_a_block_number` */
export function parseFromBlock(text: string | undefined): ChainBlock | undefined {
  return text === undefined ? undefined : parseBlockNumber(text)
}
