// The process that reads configuration and key for the daemon, which starts it and takes what it has read.
import { handOver } from '../../program/configuration/handover.ts'
import { loadSettings } from '../../program/configuration/load.ts'
import { type ExitCode, exitCode } from './exit-codes.ts'

export async function handOverSettings(file: string): Promise<ExitCode> {
  await handOver((warn) => loadSettings(file, process.env, warn))
  return exitCode.ok
}
