// What releases run: programs whose words on standard error a person sees, and whose end is waited for.
import { type SpawnOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { toolError } from '../shared/errors.ts'

/**
 * Standard output of a program; its standard error is ours.
 * @throws UraidenError release_tool_missing, release_tool_failed
 */
export async function output(
  program: string,
  args: readonly string[],
  options: Pick<SpawnOptions, 'cwd' | 'env'> = {},
): Promise<string> {
  const child = spawn(program, [...args], { ...options, stdio: ['ignore', 'pipe', 'inherit'] })
  const said: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => said.push(chunk))
  const [status] = await once(child, 'close').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'ENOENT') throw cause
    throw toolError({
      code: 'release_tool_missing',
      message: `${program} is not installed.`,
      cause,
    })
  })
  if (status === 0) return Buffer.concat(said).toString()
  throw toolError({
    code: 'release_tool_failed',
    message: `${program} ${args[0] ?? ''} ended with ${status}.`,
  })
}
