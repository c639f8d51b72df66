// provision status
import { table } from '../../../../platform/cli/output.ts'
import { eachHost, type Outcome } from '../hosts/fleet.ts'
import { type FleetCommand, finish, openSession } from '../hosts/session.ts'
import { type HostStatus, statusOf } from '../hosts/status.ts'

export async function status(
  names: readonly string[],
  command: FleetCommand,
): Promise<'ok' | 'failed'> {
  const session = await openSession(names, command)
  const { hosts, output } = session
  const outcomes = await eachHost({ hosts, parallel: command.parallel, work: statusOf })
  if (!output.json) output.print(statusTable(outcomes))
  const verdict = finish(session, outcomes)
  const well = outcomes.every((outcome) => outcome.ok && outcome.result.problems.length === 0)
  return well ? verdict : 'failed'
}

function statusTable(outcomes: readonly Outcome<HostStatus>[]): string {
  const rows = outcomes.map((outcome) => {
    if (!outcome.ok)
      return [outcome.host, '', outcome.error.code, '', '', '', outcome.error.message]
    const { version = '', problems, paused, left, channels, payments, lastError } = outcome.result
    return [
      outcome.host,
      version,
      problems.length > 0 ? 'unwell' : paused ? 'paused' : 'healthy',
      `${payments}`,
      left.join(', '),
      channels.join(', '),
      problems.join('; ') || (lastError ?? ''),
    ]
  })
  return table(['HOST', 'VERSION', 'STATE', 'BOUGHT', 'BUDGET LEFT', 'CHANNELS', 'TROUBLE'], rows)
}
