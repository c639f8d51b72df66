// uraiden-receiver backup and restore.
import { createOutput, toJson } from '../../../platform/cli/output.ts'
import { ownerOfState } from '../../../platform/state/state.ts'
import { defined, type Signer } from '../../../protocol/index.ts'
import { firstContract, prepareStates } from '../../program/contracts.ts'
import { inItsFolder, openSigner, type ReceiverSettings } from '../../program/settings.ts'
import { backupOfDatabase, backupOfState, writeBackup } from '../../server/backup/backup.ts'
import { readBackupFile } from '../../server/backup/file.ts'
import { restoreBackup } from '../../server/backup/restore.ts'
import { askReceiver } from './control.ts'
import { type ExitCode, exitCode } from './exit-codes.ts'
import type { GlobalOptions } from './options.ts'
import { openSettings } from './session.ts'

export async function backup(file: string, options: GlobalOptions): Promise<ExitCode> {
  const output = createOutput(options.json ?? false)
  const text = await backupText(await openSettings(options))
  const written = await writeBackup(file, text)
  const { channels, balanceSum } = written
  output.print(
    output.json
      ? toJson(written)
      : `${file}: ${channels} channels, all balances together ${balanceSum} units.`,
  )
  return exitCode.ok
}

async function backupText({ socket, state, key, shared }: ReceiverSettings): Promise<string> {
  if (shared !== undefined) return backupOfDatabase(shared, await openSigner(key))
  const running = socket === undefined ? undefined : await askReceiver(socket, '/admin/backup')
  return running ?? (await backupOfStopped(state, await openSigner(key)))
}

async function backupOfStopped(folder: string, signer: Signer): Promise<string> {
  const { chainId, contract } = await ownerOfState({ folder, program: 'receiver' })
  return backupOfState(folder, { chainId, contract }, signer)
}

export async function restore(file: string, options: GlobalOptions): Promise<ExitCode> {
  const output = createOutput(options.json ?? false)
  const settings = await openSettings(options)
  const { address } = await openSigner(settings.key)
  const { contract, chainId } = settings.connection
  if (settings.isOfSeveral) {
    const { stateRoot } = settings
    await prepareStates(stateRoot, [contract], await firstContract(stateRoot))
  }
  const report = await restoreBackup({
    text: await readBackupFile(file),
    state: settings.shared ?? inItsFolder(settings).state,
    contract,
    receiver: address,
    ...defined({ chainId }),
  })
  const { restored, kept, created, balanceSum, signed } = report
  if (!signed) {
    output.say(
      'An earlier version has written this backup without a signature: the balances that senders have signed are restored, and everything below them counts as paid.',
    )
  }
  output.print(
    output.json
      ? toJson(report)
      : `Restored ${restored} channels from the backup of ${created}; ${kept} stood as high or higher already.\nAll balances together: ${balanceSum} units. The chain is read again at the next start.`,
  )
  return exitCode.ok
}
