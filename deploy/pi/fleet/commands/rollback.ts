// provision rollback
import { toolError } from '../../../../scripts/lib/shared/errors.ts'
import { findPackages } from '../hosts/packages.ts'
import { rollBackHost } from '../hosts/rollback.ts'
import { finish, oneFirst, openSession } from '../hosts/session.ts'
import type { Updated } from '../hosts/update.ts'
import type { UpdateCommand } from './update.ts'

/** As an update: one host alone, the others only when it is well. */
export async function rollback(
  names: readonly string[],
  command: UpdateCommand,
): Promise<'ok' | 'failed'> {
  const session = await openSession(names, command)
  // The Pis have kept theirs: the folder here may be gone.
  const packages = await findPackages(session.inventory.packages).catch(() => [])
  const wait = { timeout: command.wait * 1000, interval: 1000 }
  const outcomes = await oneFirst<Updated>(session, {
    parallel: command.parallel,
    canary: command.canary,
    work: (host) => rollBackHost(host, { packages, version: command.to, wait }),
    show: ({ from, to, warnings }) => [
      `${from} → ${to}, and is healthy`,
      ...warnings.map((warning) => `! ${warning}`),
    ],
    leftAlone: (host, canary) =>
      toolError({
        code: 'update_left_alone',
        message: `${host} was left alone, because ${canary} did not come up healthy.`,
      }),
  })
  return finish(session, outcomes)
}
