// How a program ends: an exit code, and what went wrong.
import { isUraidenError, type UraidenError } from '../../protocol/index.ts'
import { platformError } from '../errors/index.ts'
import { plainJson, plainText } from '../text/plain-text.ts'

export interface Ending {
  /** The program's, as a person types it. */
  readonly name: string
  /** The exit code for an error's code. */
  readonly exitCodeOf: (code: string) => number
}

/** Resolves with the exit code; what went wrong is said on standard error, or in JSON. */
export async function runToEnd(ending: Ending, work: () => Promise<number>): Promise<number> {
  let unwritten: Error | undefined
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error) => {
      // Who reads our output (`head`, a pager) has enough of it; a payment under way goes on.
      if (!isClosedPipe(error)) unwritten ??= error
    })
  }
  // Nobody waits for what fails here; the process is not to be trusted any more.
  process.on('uncaughtException', (error) => {
    if (!isClosedPipe(error)) process.exit(tell(ending, error))
  })
  try {
    const code = await work()
    await written(process.stdout)
    return unwritten === undefined ? code : tell(ending, outputUnwritable(unwritten))
  } catch (error) {
    return isClosedPipe(error) ? 0 : tell(ending, error)
  }
}

/** Resolves when what was printed so far is written, or will never be. */
function written(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed) setImmediate(resolve)
    else stream.write('', () => setImmediate(resolve))
  })
}

function tell({ name, exitCodeOf }: Ending, thrown: unknown): number {
  const { code, message, hint } = isUraidenError(thrown) ? thrown : unexpected(thrown)
  const exitCode = exitCodeOf(code)
  process.stderr.write(plainText(`${name}: ${message}\n${hint}   (${code}, exit ${exitCode})\n`))
  if (process.argv.includes('--json')) {
    process.stdout.write(`${plainJson(JSON.stringify({ error: code, message, hint }))}\n`)
  }
  return exitCode
}

/** Of no catalogue: a defect, or a machine that fails where nobody expects it. */
function unexpected(thrown: unknown): UraidenError {
  const { message, stack = '' } = thrown instanceof Error ? thrown : new Error(String(thrown))
  const place = /\n\s+(at .*)/.exec(stack)?.[1]
  return platformError({
    code: 'unexpected',
    message: `Something failed that should not: ${[message, place].filter(Boolean).join(', ')}`,
    cause: thrown,
  })
}

function outputUnwritable(cause: Error): UraidenError {
  return platformError({
    code: 'output_unwritable',
    message: `What was to be printed cannot be written: ${cause.message}.`,
    cause,
  })
}

function isClosedPipe(error: unknown): boolean {
  return (error as { readonly code?: string } | undefined)?.code === 'EPIPE'
}
