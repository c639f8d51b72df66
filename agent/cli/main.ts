// uraiden-agent: runs a command and turns its outcome into an exit code.
import { CommanderError } from 'commander'
import { isUraidenError } from '../../protocol/index.ts'
import { exitCode, exitCodeOf } from './exit-codes.ts'
import { runProgram } from './program.ts'

async function main(): Promise<number> {
  try {
    return await runProgram(process.argv.slice(2))
  } catch (error) {
    // commander has said itself what is wrong; asking for help is not wrong.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCode.ok : exitCode.usage
    // Who reads our output has enough of it.
    if ((error as { readonly code?: string }).code === 'EPIPE') return exitCode.ok
    if (!isUraidenError(error)) throw error
    const code = exitCodeOf(error.code)
    process.stderr.write(
      `uraiden-agent: ${error.message}\n${error.hint}   (${error.code}, exit ${code})\n`,
    )
    if (process.argv.includes('--json')) {
      const { message, hint } = error
      process.stdout.write(`${JSON.stringify({ error: error.code, message, hint })}\n`)
    }
    return code
  }
}

process.exitCode = await main()
