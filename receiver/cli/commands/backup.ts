// uraiden-receiver backup and restore.
import { createOutput, toJson } from '../../../platform/cli/output.ts'
import { ownerOfState } from '../../../platform/state/state.ts'
import type { ReceiverConfig } from '../../program/config.ts'
import { controlSocket } from '../../server/admin/place.ts'
import { backupOfState, writeBackup } from '../../server/backup/backup.ts'
import { readBackupFile } from '../../server/backup/file.ts'
import { restoreBackup } from '../../server/backup/restore.ts'
import { askReceiver } from './control.ts'
import { type ExitCode, exitCode } from './exit-codes.ts'
import type { GlobalOptions } from './options.ts'
import { openConfig, openSigner, stateFolder } from './session.ts'

export async function backup(file: string, options: GlobalOptions): Promise<ExitCode> {
  const output = createOutput(options.json ?? false)
  const config = await openConfig(options)
  const socket = controlSocket(config.admin, stateFolder(config))
  const running = socket === undefined ? undefined : await askReceiver(socket, '/admin/backup')
  const text = running ?? (await backupOfStopped(config))
  const written = await writeBackup(file, text)
  const { channels, balanceSum } = written
  output.print(
    output.json
      ? toJson(written)
      : `${file}: ${channels} channels, all balances together ${balanceSum} units.`,
  )
  return exitCode.ok
}

async function backupOfStopped(config: ReceiverConfig): Promise<string> {
  const folder = stateFolder(config)
  const { account, ...owner } = await ownerOfState({ folder, program: 'receiver' })
  return backupOfState(folder, { ...owner, receiver: account })
}

export async function restore(file: string, options: GlobalOptions): Promise<ExitCode> {
  const output = createOutput(options.json ?? false)
  const config = await openConfig(options)
  const { address } = await openSigner(config, output.say)
  const report = await restoreBackup({
    text: await readBackupFile(file),
    state: stateFolder(config),
    contract: config.contract,
    receiver: address,
    ...(config.chainId !== undefined && { chainId: BigInt(config.chainId) }),
  })
  const { restored, kept, created, balanceSum } = report
  output.print(
    output.json
      ? toJson(report)
      : `Restored ${restored} channels from the backup of ${created}; ${kept} stood as high or higher already.\nAll balances together: ${balanceSum} units. The chain is read again at the next start.`,
  )
  return exitCode.ok
}
