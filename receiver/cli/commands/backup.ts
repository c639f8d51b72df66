// uraiden-receiver restore.
import { createOutput, toJson } from '../../../platform/cli/output.ts'
import { readBackupFile } from '../../backup/file.ts'
import { restoreBackup } from '../../backup/restore.ts'
import { type ExitCode, exitCode } from '../exit-codes.ts'
import type { GlobalOptions } from '../options.ts'
import { openConfig, openSigner, stateFolder } from '../session.ts'

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
