// What the commands for a fleet have in common: the inventory, the hosts, how outcomes are shown.
import { createOutput, type Output, toJson } from '../../../../platform/cli/output.ts'
import type { UraidenError } from '../../../../protocol/index.ts'
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

export interface Canary<Result> {
  readonly parallel: number
  /** Which one goes first; the first that is named when it is not said. */
  readonly canary: string | undefined
  readonly work: Fleet<Result>['work']
  readonly show: (result: Result) => readonly string[]
  /** Of a host that is left alone because the first one, which is named, has failed. */
  readonly leftAlone: (host: string, first: string) => UraidenError
}

/**
 * One host alone; the others only when it is well.
 * @throws UraidenError `host_unknown`
 */
export async function oneFirst<Result>(
  session: Session,
  { parallel, canary, work, show, leftAlone }: Canary<Result>,
): Promise<readonly Outcome<Result>[]> {
  const { hosts, inventory } = session
  if (canary !== undefined) chosenHosts({ hosts, file: inventory.file }, [canary])
  const first = hosts.filter(({ name }) => name === (canary ?? hosts[0]?.name))
  const rest = hosts.filter((host) => !first.includes(host))
  const on = (chosen: typeof hosts) =>
    overFleet({ ...session, hosts: chosen }, parallel, work, show)
  const outcomes = await on(first)
  if (outcomes.every(({ ok }) => ok)) return [...outcomes, ...(await on(rest))]
  const [named] = first
  const others = rest.map(({ name: host }) => ({
    host,
    ok: false as const,
    error: leftAlone(host, named?.name ?? ''),
  }))
  return [...outcomes, ...others]
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
  const { message, code } = outcome.error
  // What to do is said once for all of them, at the end.
  return [`${output.colour('red', '✘')} ${outcome.host}: ${message}   (${code})`]
}

function indented(line: string): string {
  return `    ${line}`
}

/** The verdict of the whole run, and in JSON all of it. */
export function finish<Result extends object>(
  { output }: Pick<Session, 'output'>,
  outcomes: readonly Outcome<Result>[],
): 'ok' | 'failed' {
  const reasons = reasonsOf(outcomes)
  const failed = outcomes.filter(({ ok }) => !ok).length
  if (output.json) {
    output.print(toJson({ ok: failed === 0, hosts: outcomes.map(plain), reasons }))
  } else if (failed > 0) {
    output.say(`${failed} of ${outcomes.length} failed`)
    for (const { error, hosts, hint } of reasons) {
      output.say(`  ${error}: ${hosts.join(', ')}`)
      output.say(indented(hint))
    }
  }
  return failed === 0 ? 'ok' : 'failed'
}

export interface Reason {
  readonly error: string
  readonly hint: string
  readonly hosts: readonly string[]
}

/** Why hosts failed: those with the same error and the same way out together, the most frequent first. */
export function reasonsOf(outcomes: readonly Outcome<unknown>[]): readonly Reason[] {
  const reasons = new Map<string, Reason>()
  for (const outcome of outcomes) {
    if (outcome.ok) continue
    const { code: error, hint } = outcome.error
    const name = `${error} ${hint}`
    const hosts = [...(reasons.get(name)?.hosts ?? []), outcome.host]
    reasons.set(name, { error, hint, hosts })
  }
  return [...reasons.values()].sort((a, b) => b.hosts.length - a.hosts.length)
}

function plain<Result extends object>(outcome: Outcome<Result>): object {
  if (outcome.ok) return { host: outcome.host, ok: true, ...outcome.result }
  const { code, message, hint } = outcome.error
  return { host: outcome.host, ok: false, error: code, message, hint }
}
