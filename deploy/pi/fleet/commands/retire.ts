// provision retire
import { type Address, formatAmount, type TokenUnit } from '../../../../protocol/index.ts'
import { etherUnit } from '../fund/fund.ts'
import { accountsFile, readAccounts } from '../hosts/accounts.ts'
import { type Retired, retireHost } from '../hosts/retire.ts'
import { type FleetCommand, finish, openSession, overFleet } from '../hosts/session.ts'
import { connectFunding } from './fund.ts'

export interface RetireCommand extends FleetCommand {
  readonly sweepTo: Address
  readonly uncooperative?: true
  /** In minutes. */
  readonly timeout: number
  readonly purge?: true
}

export async function retire(
  names: readonly string[],
  command: RetireCommand,
): Promise<'ok' | 'failed'> {
  const session = await openSession(names, command)
  const chain = await connectFunding(session.inventory)
  try {
    const token = await chain.tokenFacts()
    const options = {
      to: command.sweepTo,
      channels: command.uncooperative ? ('alone if need be' as const) : ('together' as const),
      timeout: command.timeout * 60_000,
      interval: 5000,
      software: command.purge ? ('goes' as const) : ('stays' as const),
      chain,
      accounts: await readAccounts(accountsFile(session.inventory.file)),
      say: session.output.say,
    }
    const outcomes = await overFleet(
      session,
      command.parallel,
      (host) => retireHost(host, options),
      (retired) => retiredLines(retired, token, command),
    )
    return finish(session, outcomes)
  } finally {
    chain.close()
  }
}

function retiredLines(
  { address, closed, tokens, ether, etherLeft }: Retired,
  token: TokenUnit,
  { sweepTo, purge }: RetireCommand,
): readonly string[] {
  return [
    `${closed.length} channels closed; ${formatAmount(tokens, token)} and ${formatAmount(ether, etherUnit)} sent to ${sweepTo}`,
    ...(etherLeft > 0n ? [`${formatAmount(etherLeft, etherUnit)} stay at ${address}: fees`] : []),
    purge ? 'package, state and key are removed' : 'the service is disabled, the key stays',
  ]
}
