// Runs a command line and turns its outcome into an exit code.
import { CommanderError } from 'commander'
import { isUraidenError } from '../../protocol/index.ts'
import { plainJson, plainText } from '../text/plain-text.ts'
import { type ProgramDescription, runProgram } from './program.ts'

export interface CommandLine {
  readonly program: ProgramDescription
  /** The exit code for an error's code. */
  readonly exitCodeOf: (code: string) => number
}

const usage = 2

/** Resolves with the exit code; what went wrong is said on standard error, or in JSON. */
export async function runCommandLine({ program, exitCodeOf }: CommandLine): Promise<number> {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', overlookClosed)
  try {
    return await runProgram(program, process.argv.slice(2))
  } catch (error) {
    // commander has said itself what is wrong; asking for help is not wrong.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : usage
    if (isClosedPipe(error)) return 0
    if (!isUraidenError(error)) throw error
    const code = exitCodeOf(error.code)
    process.stderr.write(
      plainText(
        `${program.name}: ${error.message}\n${error.hint}   (${error.code}, exit ${code})\n`,
      ),
    )
    if (process.argv.includes('--json')) {
      const { message, hint } = error
      process.stdout.write(`${plainJson(JSON.stringify({ error: error.code, message, hint }))}\n`)
    }
    return code
  }
}

/** Who reads our output (`head`, a pager) has enough of it; a payment under way goes on. */
function overlookClosed(error: Error): void {
  if (!isClosedPipe(error)) throw error
}

function isClosedPipe(error: unknown): boolean {
  return (error as { readonly code?: string }).code === 'EPIPE'
}
