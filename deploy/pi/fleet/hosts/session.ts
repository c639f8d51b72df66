// What the commands for a fleet have in common: the inventory, the hosts, how outcomes are shown.
import { createOutput, type Output, toJson } from '../../../../platform/cli/output.ts'
import { eachHost, type Fleet, type Outcome } from './fleet.ts'
import { chosenHosts, type HostSettings, type Inventory, loadInventory } from './inventory.ts'

export interface FleetCommand {
  readonly inventory: string
  readonly parallel: number
  readonly acceptNew?: true
  readonly json?: true
}

export interface Session {
  readonly inventory: Inventory
  readonly hosts: readonly HostSettings[]
  readonly output: Output
}

/** @throws UraidenError those of `loadInventory` and `chosenHosts` */
export async function openSession(
  names: readonly string[],
  command: Omit<FleetCommand, 'parallel'>,
  inventory?: Inventory,
): Promise<Session> {
  const found = inventory ?? (await loadInventory(command.inventory))
  const hosts = chosenHosts(found, names).map((host) =>
    command.acceptNew ? { ...host, ssh: { ...host.ssh, hostKeys: 'accept-new' as const } } : host,
  )
  return { inventory: found, hosts, output: createOutput(command.json ?? false) }
}

/** Each host's lines as soon as it is done; `show` says what a result looks like. */
export async function overFleet<Result>(
  { hosts, output }: Session,
  parallel: number,
  work: Fleet<Result>['work'],
  show: (result: Result) => readonly string[],
): Promise<readonly Outcome<Result>[]> {
  return eachHost({
    hosts,
    parallel,
    work,
    onOutcome: (outcome) => {
      if (!output.json) for (const line of outcomeLines(outcome, show, output)) output.print(line)
    },
  })
}

function outcomeLines<Result>(
  outcome: Outcome<Result>,
  show: (result: Result) => readonly string[],
  output: Output,
): readonly string[] {
  if (outcome.ok) {
    const [first = 'nothing to do', ...more] = show(outcome.result)
    return [`${output.colour('green', '✔')} ${outcome.host}: ${first}`, ...more.map(indented)]
  }
  const { message, hint, code } = outcome.error
  return [
    `${output.colour('red', '✘')} ${outcome.host}: ${message}`,
    indented(`${hint}   (${code})`),
  ]
}

function indented(line: string): string {
  return `    ${line}`
}

/** The verdict of the whole run, and in JSON all of it. */
export function finish<Result extends object>(
  { output }: Pick<Session, 'output'>,
  outcomes: readonly Outcome<Result>[],
): 'ok' | 'failed' {
  const failed = outcomes.filter(({ ok }) => !ok)
  if (output.json) output.print(toJson({ ok: failed.length === 0, hosts: outcomes.map(plain) }))
  else if (failed.length > 0) {
    output.say(
      `${failed.length} of ${outcomes.length} failed: ${failed.map(({ host }) => host).join(', ')}`,
    )
  }
  return failed.length === 0 ? 'ok' : 'failed'
}

function plain<Result extends object>(outcome: Outcome<Result>): object {
  if (outcome.ok) return { host: outcome.host, ok: true, ...outcome.result }
  const { code, message, hint } = outcome.error
  return { host: outcome.host, ok: false, error: code, message, hint }
}
