// uraiden-receiver withdraw: takes out what open channels owe; they stay open.
import { createOutput, toJson } from '../../../platform/cli/output.ts'
import { type CollectCommandOptions, collectionText, collectWith } from './collecting.ts'
import { type ExitCode, exitCode } from './exit-codes.ts'
import { openConfig } from './session.ts'

const command = { path: '/admin/withdraw', run: 'withdrawAll' } as const

export async function withdraw(options: CollectCommandOptions): Promise<ExitCode> {
  const output = createOutput(options.json ?? false)
  const config = await openConfig(options)
  const collection = await collectWith(config, output, command, options.dryRun ?? false)
  output.print(output.json ? toJson(collection.report) : collectionText('withdraw', collection))
  return exitCode.ok
}
