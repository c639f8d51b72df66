// provision logs
import { eachHost, type Outcome } from '../hosts/fleet.ts'
import { type FleetCommand, finish, openSession } from '../hosts/session.ts'

export interface LogsCommand extends FleetCommand {
  /** Of each host. */
  readonly lines: number
  /** As journalctl understands it. */
  readonly since?: string
}

interface Logs {
  readonly lines: readonly string[]
}

export async function logs(
  names: readonly string[],
  command: LogsCommand,
): Promise<'ok' | 'failed'> {
  const session = await openSession(names, command)
  const { hosts, output } = session
  const { parallel, lines, since } = command
  const outcomes = await eachHost<Logs>({
    hosts,
    parallel,
    work: async (host) => ({ lines: await host.logs({ lines, since }) }),
  })
  if (!output.json) for (const line of mergedLogs(outcomes)) output.print(line)
  return finish(session, outcomes)
}

/** Lines of all hosts in the order of their times, which they begin with, each behind its host. */
export function mergedLogs(outcomes: readonly Outcome<Logs>[]): readonly string[] {
  const width = Math.max(0, ...outcomes.map(({ host }) => host.length))
  return outcomes
    .flatMap((outcome) =>
      outcome.ok
        ? timed(outcome.result.lines).map((each) => ({ ...each, host: outcome.host }))
        : [],
    )
    .sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0))
    .map(({ host, line }) => `${host.padEnd(width)}  ${line}`)
}

/** A line without a time of its own belongs to the one before it. */
function timed(
  lines: readonly string[],
): readonly { readonly time: string; readonly line: string }[] {
  let time = ''
  return lines.map((line) => {
    time = /^\d{4}-\d\d-\d\dT\S+/.exec(line)?.[0] ?? time
    return { time, line }
  })
}
