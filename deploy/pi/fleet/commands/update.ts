// provision update
import { toolError } from '../../../../scripts/lib/shared/errors.ts'
import type { Outcome } from '../hosts/fleet.ts'
import { chosenHosts } from '../hosts/inventory.ts'
import { findPackages } from '../hosts/packages.ts'
import { type FleetCommand, finish, openSession, overFleet } from '../hosts/session.ts'
import { type Updated, updateHost } from '../hosts/update.ts'

export interface UpdateCommand extends FleetCommand {
  readonly to?: string
  readonly canary?: string
  /** In seconds. */
  readonly wait: number
}

/** One host alone; the others only when it is well. */
export async function update(
  names: readonly string[],
  command: UpdateCommand,
): Promise<'ok' | 'failed'> {
  const session = await openSession(names, command)
  const { inventory, hosts } = session
  const packages = await findPackages(inventory.packages)
  const wait = { timeout: command.wait * 1000, interval: 1000 }
  const on = (chosen: typeof hosts) =>
    overFleet<Updated>(
      { ...session, hosts: chosen },
      command.parallel,
      (host) => updateHost(host, { packages, version: command.to, wait }),
      updatedLines,
    )
  if (command.canary !== undefined) chosenHosts({ hosts, file: inventory.file }, [command.canary])
  const first = hosts.filter(({ name }) => name === (command.canary ?? hosts[0]?.name))
  const rest = hosts.filter((host) => !first.includes(host))
  const canary = await on(first)
  const others = canary.every(({ ok }) => ok)
    ? await on(rest)
    : rest.map(({ name }) => leftAlone(name, first[0]?.name ?? ''))
  return finish(session, [...canary, ...others])
}

function updatedLines({ from, to, warnings }: Updated): readonly string[] {
  const what = from === to ? `has ${to} already, and is healthy` : `${from} → ${to}, and is healthy`
  return [what, ...warnings.map((warning) => `! ${warning}`)]
}

function leftAlone(host: string, canary: string): Outcome<Updated> {
  const error = toolError({
    code: 'update_left_alone',
    message: `${host} was left alone, because the update of ${canary} failed.`,
  })
  return { host, ok: false, error }
}
