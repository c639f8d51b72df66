// uraiden-receiver backup and restore.
import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { connectChain } from '../../../platform/chain/index.ts'
import { createOutput, toJson } from '../../../platform/cli/output.ts'
import { UraidenError } from '../../../protocol/index.ts'
import { controlSocket } from '../../admin/place.ts'
import { backupOfState, writeBackup } from '../../backup/backup.ts'
import { readBackupFile } from '../../backup/file.ts'
import { restoreBackup } from '../../backup/restore.ts'
import { type ReceiverConfig, receiverOptions } from '../../config.ts'
import { askReceiver } from '../control.ts'
import { type ExitCode, exitCode } from '../exit-codes.ts'
import type { GlobalOptions } from '../options.ts'
import { openConfig, openSigner, stateFolder } from '../session.ts'

export async function backup(file: string, options: GlobalOptions): Promise<ExitCode> {
  const output = createOutput(options.json ?? false)
  const config = await openConfig(options)
  const socket = controlSocket(config.admin, stateFolder(config))
  const running = socket === undefined ? undefined : await askReceiver(socket, '/admin/backup')
  const text = running ?? (await backupOfStopped(config, output.say))
  const written = await writeBackup(file, text)
  const { channels, balanceSum } = written
  output.print(
    output.json
      ? toJson(written)
      : `${file}: ${channels} channels, all balances together ${balanceSum} units.`,
  )
  return exitCode.ok
}

async function backupOfStopped(
  config: ReceiverConfig,
  say: (text: string) => void,
): Promise<string> {
  const folder = stateFolder(config)
  // Opening it would make a new one, and a backup of nothing.
  await access(join(folder, 'CURRENT')).catch(() => {
    throw new UraidenError({
      code: 'state_missing',
      message: `There is no state in ${folder}.`,
      hint: 'Name the state folder with --state, or start the receiver once.',
    })
  })
  const { address } = await openSigner(config, say)
  const { contract } = config
  return backupOfState(folder, { chainId: await chainIdOf(config), contract, receiver: address })
}

/** A configuration may leave it to the node. */
async function chainIdOf(config: ReceiverConfig): Promise<bigint> {
  if (config.chainId !== undefined) return BigInt(config.chainId)
  const chain = await connectChain(receiverOptions(config))
  chain.close()
  return chain.chainId
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
