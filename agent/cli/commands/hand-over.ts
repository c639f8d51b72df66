// The process that reads configuration and key for the daemon, which starts it and takes what it has read.
import { handOver } from '../../program/configuration/handover.ts'
import { keepSettings } from '../../program/configuration/kept.ts'
import { loadSettings } from '../../program/configuration/load.ts'
import { type ExitCode, exitCode } from './exit-codes.ts'

export async function handOverSettings(file: string): Promise<ExitCode> {
  const { env: environment } = process
  const begun = Date.now()
  let files: readonly string[] = []
  const read = await handOver(async (warn) => {
    const loaded = await loadSettings(file, environment, warn)
    files = loaded.files
    return loaded.settings
  })
  if (read !== undefined) await keepSettings(read, { file, files, environment }, begun)
  return exitCode.ok
}
