// Runs a command line and turns its outcome into an exit code.
import { CommanderError } from 'commander'
import { type Ending, runToEnd } from './end.ts'
import { type ProgramDescription, runProgram } from './program.ts'

export interface CommandLine extends Pick<Ending, 'exitCodeOf'> {
  readonly program: ProgramDescription
}

const usage = 2

/** Resolves with the exit code; what went wrong is said on standard error, or in JSON. */
export function runCommandLine({ program, exitCodeOf }: CommandLine): Promise<number> {
  const args = process.argv.slice(2)
  return runToEnd({ name: program.name, exitCodeOf }, () => runCommand(program, args))
}

/** Resolves with the exit code. @throws what the command throws */
export async function runCommand(
  program: ProgramDescription,
  args: readonly string[],
): Promise<number> {
  try {
    return await runProgram(program, args)
  } catch (error) {
    // commander has said itself what is wrong; asking for help is not wrong.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : usage
    throw error
  }
}
