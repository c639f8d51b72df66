// uraiden-receiver close-all: ends all channels that owe something, each at its best proof.
import { createOutput, toJson } from '../../../platform/cli/output.ts'
import { type CollectCommandOptions, collectionText, collectWith } from './collecting.ts'
import { type ExitCode, exitCode } from './exit-codes.ts'
import { openConfig } from './session.ts'

const command = { path: '/admin/close-all', run: 'closeAll' } as const

export async function closeAll(options: CollectCommandOptions): Promise<ExitCode> {
  const output = createOutput(options.json ?? false)
  const config = await openConfig(options)
  const collection = await collectWith(config, output, command, options.dryRun ?? false)
  output.print(output.json ? toJson(collection.report) : collectionText('collect', collection))
  return exitCode.ok
}
