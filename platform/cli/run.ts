// Runs a command line and turns its outcome into an exit code.
import { CommanderError } from 'commander'
import { isUraidenError } from '../../protocol/index.ts'

export interface CommandLine {
  /** As a person types it; messages begin with it. */
  readonly program: string
  readonly run: (args: readonly string[]) => Promise<number>
  /** The exit code for an error's code. */
  readonly exitCodeOf: (code: string) => number
}

const usage = 2

/** Resolves with the exit code; what went wrong is said on standard error, or in JSON. */
export async function runCommandLine({ program, run, exitCodeOf }: CommandLine): Promise<number> {
  try {
    return await run(process.argv.slice(2))
  } catch (error) {
    // commander has said itself what is wrong; asking for help is not wrong.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : usage
    // Who reads our output has enough of it.
    if ((error as { readonly code?: string }).code === 'EPIPE') return 0
    if (!isUraidenError(error)) throw error
    const code = exitCodeOf(error.code)
    process.stderr.write(
      `${program}: ${error.message}\n${error.hint}   (${error.code}, exit ${code})\n`,
    )
    if (process.argv.includes('--json')) {
      const { message, hint } = error
      process.stdout.write(`${JSON.stringify({ error: error.code, message, hint })}\n`)
    }
    return code
  }
}
