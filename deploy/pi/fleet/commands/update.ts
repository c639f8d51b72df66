// provision update
import { toolError } from '../../../../scripts/lib/shared/errors.ts'
import { findPackages } from '../hosts/packages.ts'
import { type FleetCommand, finish, oneFirst, openSession } from '../hosts/session.ts'
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
  const packages = await findPackages(session.inventory.packages)
  const wait = { timeout: command.wait * 1000, interval: 1000 }
  const outcomes = await oneFirst<Updated>(session, {
    parallel: command.parallel,
    canary: command.canary,
    work: (host) => updateHost(host, { packages, version: command.to, wait }),
    show: updatedLines,
    leftAlone: (host, canary) =>
      toolError({
        code: 'update_left_alone',
        message: `${host} was left alone, because the update of ${canary} failed.`,
      }),
  })
  return finish(session, outcomes)
}

function updatedLines({ from, to, warnings }: Updated): readonly string[] {
  const what = from === to ? `has ${to} already, and is healthy` : `${from} → ${to}, and is healthy`
  return [what, ...warnings.map((warning) => `! ${warning}`)]
}
