// uraiden-receiver migrate: a state from a folder into a database that several receivers share, and back.
import { resolve } from 'node:path'
import { createOutput, toJson } from '../../../platform/cli/output.ts'
import { type MoveReport, moveToDatabase, moveToFolder } from '../../cluster/move.ts'
import { receiverError } from '../../errors/index.ts'
import { isPostgresUrl, type PostgresSettings, parsePostgresUrl } from '../../postgres/settings.ts'
import { type ExitCode, exitCode } from './exit-codes.ts'
import type { GlobalOptions } from './options.ts'
import { openSettings } from './session.ts'

export interface MigrateOptions extends GlobalOptions {
  /** A folder or a database; that of the configuration when left out. */
  readonly from?: string
  readonly to?: string
}

type Place = string | PostgresSettings

/** @throws UraidenError `migrate_places` and those of `moveToDatabase` and `moveToFolder` */
export async function migrate(options: MigrateOptions): Promise<ExitCode> {
  const output = createOutput(options.json ?? false)
  const from = await placeOf(options.from, options)
  const to = await placeOf(options.to, options)
  const report = await moved(from, to)
  const { channels, ledgers, balanceSum, checksum } = report
  output.print(
    output.json
      ? toJson(report)
      : `Moved ${channels} channels, ${ledgers} of them with something paid; all balances together: ${balanceSum} units.
The same in both places: SHA-256 ${checksum}.
Nobody can serve on the old one any more. Set state to the new one, and start.`,
  )
  return exitCode.ok
}

async function placeOf(named: string | undefined, options: MigrateOptions): Promise<Place> {
  if (named === undefined) {
    const { shared, state } = await openSettings(options)
    return shared ?? state
  }
  return isPostgresUrl(named) ? { ...parsePostgresUrl(named), tls: {} } : resolve(named)
}

function moved(from: Place, to: Place): Promise<MoveReport> {
  if (typeof from === 'string' && typeof to !== 'string') return moveToDatabase(from, to)
  if (typeof from !== 'string' && typeof to === 'string') return moveToFolder(from, to)
  throw receiverError({
    code: 'migrate_places',
    message: `Both places are ${typeof from === 'string' ? 'folders' : 'databases'}.`,
  })
}
