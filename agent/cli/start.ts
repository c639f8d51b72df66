// uraiden-agent. Each process loads what it needs: the one that stays neither commander nor what reads
// configurations, and the one that reads them for it nothing of a daemon.
import { parseArgs } from 'node:util'
import { runToEnd } from '../../platform/cli/end.ts'
import { exitCodeOf } from './commands/exit-codes.ts'
import { readerCommand } from './commands/reader-command.ts'
import type { GlobalOptions } from './commands/session.ts'

/** Resolves with the exit code. */
export function startAgentProgram(): Promise<number> {
  const args = process.argv.slice(2)
  return runToEnd({ name: 'uraiden-agent', exitCodeOf }, () => commandOf(args))
}

async function commandOf(args: readonly string[]): Promise<number> {
  const [command, file] = args
  if (command === readerCommand && file !== undefined) {
    const { handOverSettings } = await import('./commands/hand-over.ts')
    return handOverSettings(file)
  }
  const options = optionsOfRun(args)
  if (options !== undefined) {
    const { run } = await import('./commands/run.ts')
    return run(options)
  }
  const { runCommand } = await import('../../platform/cli/run.ts')
  const { agentProgramFor } = await import('./program.ts')
  return runCommand(agentProgramFor(nameIn(args)), args)
}

/** What a person may write before a command's name. */
const options = { config: { type: 'string', short: 'c' }, json: { type: 'boolean' } } as const

/** Undefined for another command, and for what commander explains. */
function optionsOfRun(args: readonly string[]): GlobalOptions | undefined {
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true })
    return positionals.length === 1 && positionals[0] === 'run' ? values : undefined
  } catch {
    return undefined
  }
}

/** Of the command; undefined where there is none. */
function nameIn(args: readonly string[]): string | undefined {
  const given = { args: [...args], options, allowPositionals: true }
  const { tokens } = parseArgs({ ...given, strict: false, tokens: true })
  const name = tokens.find((token) => token.kind === 'positional')
  return name?.value
}
