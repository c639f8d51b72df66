// What a command needs, made from the command line's options: configuration, key, agent.
import { createOutput, type Output } from '../../../platform/cli/output.ts'
import {
  type Address,
  type ChainBlock,
  parseBlockNumber,
  type TokenUnit,
} from '../../../protocol/index.ts'
import type { DepositPolicy } from '../../channels/choose.ts'
import type { Known } from '../../program/configuration/known.ts'
import { openReceivers, type Receivers } from '../../program/configuration/receivers.ts'
import type { Needs, RemoteAgent } from '../../program/control/client.ts'
import { receiverNames } from '../text/names.ts'
import { daemonOrConfig } from './its-daemon.ts'

/** Options that every command has. */
export interface GlobalOptions {
  readonly config?: string
  readonly json?: boolean
}

export interface Session extends Pick<Known, 'chain' | 'request' | 'timeZone' | 'jobs' | 'assets'> {
  readonly receivers: Receivers
  readonly output: Output
  /** The daemon's or one's own. */
  readonly agent: RemoteAgent
  readonly token: TokenUnit
  /** What the configuration says of deposits. Rejects with UraidenError those of `depositOf`. */
  readonly deposits: () => Promise<Partial<DepositPolicy>>
  /** As the configuration calls a receiver; its address where it does not. */
  readonly nameOf: (receiver: Address) => string
}

/** Runs `work` with the daemon's agent when one runs, else with one of its own that it stops. */
export async function withAgent<Value>(
  options: GlobalOptions,
  work: (session: Session) => Promise<Value>,
  needs?: Needs,
): Promise<Value> {
  const output = createOutput(options.json ?? false)
  const found = await daemonOrConfig(options)
  if ('connection' in found) {
    found.sayChanged(output)
    const receivers = openReceivers(found.known.receivers)
    const { agent, token } = await found.connection.agent(needs)
    return work(sessionWith({ known: found.known, receivers, output, agent, token }))
  }
  const { openAgent, knownFrom } = await import('../../program/configuration/open.ts')
  const known = knownFrom(found)
  const receivers = openReceivers(known.receivers)
  const { agent, token } = await openAgent(found, receivers)
  try {
    const hoursSince = async (start: number) => agent.hours.since(start)
    const own = { ...agent, hoursSince }
    return await work(sessionWith({ known, receivers, output, agent: own, token }))
  } finally {
    await agent.stop()
  }
}

type Parts = Pick<Session, 'receivers' | 'output' | 'agent' | 'token'> & { readonly known: Known }

function sessionWith({ known, ...parts }: Parts): Session {
  const { chain, request, timeZone, jobs, assets, deposit, receivers } = known
  const deposits = async () => {
    const { depositOf } = await import('../../program/configuration/purchasing.ts')
    return depositOf(deposit, parts.token)
  }
  const nameOf = receiverNames(receivers.receivers)
  return { ...parts, chain, request, timeZone, jobs, assets, deposits, nameOf }
}

/** The option `--from-block`. @throws UraidenError `not_a_block_number` */
export function parseFromBlock(text: string | undefined): ChainBlock | undefined {
  return text === undefined ? undefined : parseBlockNumber(text)
}
