// The programs that building needs, and files whose bytes say nothing about when they were made.

import { execFile } from 'node:child_process'
import { mkdir, utimes, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { toolError } from '../../../scripts/lib/shared/errors.ts'

export const checkout = fileURLToPath(new URL('../../../', import.meta.url))

const run = promisify(execFile)

/**
 * Standard output of a program.
 * @throws UraidenError build_tool_missing when it is not installed, build_tool_failed when it fails
 */
export async function tool(
  program: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<string> {
  try {
    return (await run(program, [...args], { ...options, maxBuffer: 2 ** 26 })).stdout
  } catch (error) {
    const { code, stderr } = error as { readonly code?: string | number; readonly stderr?: string }
    if (code === 'ENOENT') {
      throw toolError({
        code: 'build_tool_missing',
        message: `${program} is not installed`,
      })
    }
    throw toolError({
      code: 'build_tool_failed',
      message: `${program} failed: ${String(stderr ?? error).trim()}`,
      hint: `It was called with: ${args.join(' ')}`,
    })
  }
}

/** Seconds since 1970 that every file gets: $SOURCE_DATE_EPOCH, else when the commit was made. */
export async function sourceDate(): Promise<number> {
  const { SOURCE_DATE_EPOCH: given } = process.env
  return Number(given ?? (await tool('git', ['log', '-1', '--format=%ct'], { cwd: checkout })))
}

export interface Tree {
  readonly folder: string
  readonly date: number
}

/** Writes a file of a tree with everything that a package remembers of it. */
export async function place(
  { folder, date }: Tree,
  path: string,
  contents: string | Uint8Array,
  mode = 0o644,
): Promise<void> {
  const file = join(folder, path)
  await mkdir(dirname(file), { recursive: true, mode: 0o755 })
  await writeFile(file, contents, { mode })
  await utimes(file, date, date)
}
