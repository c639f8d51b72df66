// What a command needs, made from the command line's options: configuration, key, agent.
import { join } from 'node:path'
import { createOutput, type Output } from '../../../platform/cli/output.ts'
import type { TokenUnit } from '../../../protocol/index.ts'
import { createAgent } from '../../agent.ts'
import {
  type AgentConfig,
  loadAgentConfig,
  policyOptions,
} from '../../program/configuration/config.ts'
import type { Receivers } from '../../program/configuration/receivers.ts'
import {
  chainFacts,
  configFile,
  openSigner,
  receiversOf,
  stateFolder,
} from '../../program/configuration/setup.ts'
import { connectToDaemon, type RemoteAgent } from '../../program/control/client.ts'

/** Options that every command has. */
export interface GlobalOptions {
  readonly config?: string
  readonly json?: boolean
}

export interface Session {
  readonly config: AgentConfig
  readonly receivers: Receivers
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
  const receivers = receiversOf(config)
  const daemon = await connectToDaemon(config)
  if (daemon !== undefined) {
    const [agent, token] = [await daemon.agent(), await daemon.token()]
    return work({ config, receivers, output, agent, token })
  }
  const signer = await openSigner(config, output.say)
  const folder = stateFolder(config)
  const { chainId, ...token } = await chainFacts(config, folder)
  const agent = await createAgent({
    ...policyOptions(config, token),
    receiverAt: receivers.receiverAt,
    signer,
    chainId,
    store: join(folder, 'ledger'),
  })
  try {
    return await work({ config, receivers, output, agent, token })
  } finally {
    await agent.stop()
  }
}
