// What a command needs, made from the command line's options: configuration, key, agent.
import { createOutput, type Output } from '../../../platform/cli/output.ts'
import {
  type Address,
  type ChainBlock,
  parseBlockNumber,
  type TokenUnit,
} from '../../../protocol/index.ts'
import type { DepositPolicy } from '../../channels/choose.ts'
import { assetUnits } from '../../program/configuration/assets.ts'
import { type ChainSettings, chainSettings } from '../../program/configuration/chain.ts'
import { type AgentConfig, loadAgentConfig } from '../../program/configuration/config.ts'
import { openAgent } from '../../program/configuration/open.ts'
import { commandSocket, configFile } from '../../program/configuration/places.ts'
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
import { receiverNames } from '../text/names.ts'

/** Options that every command has. */
export interface GlobalOptions {
  readonly config?: string
  readonly json?: boolean
}

export interface Session {
  readonly chain: ChainSettings
  readonly receivers: Receivers
  readonly budget: AgentConfig['budget']
  /** Where days and months begin; default UTC. */
  readonly timeZone: string | undefined
  /** Names that a purchase may be counted against. */
  readonly jobs: readonly string[]
  readonly output: Output
  /** The daemon's or one's own. */
  readonly agent: RemoteAgent
  readonly token: TokenUnit
  /** What prices may be written in, beside the token. */
  readonly assets: readonly TokenUnit[]
  /** What the configuration says of deposits. @throws UraidenError those of `policyOptions` */
  readonly deposits: () => Partial<DepositPolicy>
  /** As the configuration calls a receiver; its address where it does not. */
  readonly nameOf: (receiver: Address) => string
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
  const nameOf = receiverNames(config.receivers)
  const { budget, timeZone } = config
  const purchasing = purchaseSettings(config)
  const known = {
    ...{ chain, receivers, budget, timeZone, jobs: jobNames(config), output, nameOf },
    assets: assetUnits(purchasing.x402),
  }
  const depositsIn = (token: TokenUnit) => () => policyOptions(purchasing, token).deposit
  const daemon = await connectToDaemon(commandSocket(config))
  if (daemon !== undefined) {
    const [agent, token] = [await daemon.agent(), await daemon.token()]
    return work({ ...known, agent, token, deposits: depositsIn(token) })
  }
  const { agent, token } = await openAgent(config, receivers)
  try {
    const hoursSince = async (start: number) => agent.hours.since(start)
    const own = { ...agent, hoursSince }
    return await work({ ...known, agent: own, token, deposits: depositsIn(token) })
  } finally {
    await agent.stop()
  }
}

/** The option `--from-block`. @throws UraidenError `not_a_block_number` */
export function parseFromBlock(text: string | undefined): ChainBlock | undefined {
  return text === undefined ? undefined : parseBlockNumber(text)
}
