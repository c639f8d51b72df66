// A script as a person runs it, from a folder that has nothing to do with the checkout.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { ExecutionContext } from 'ava'
import { endWithParent } from '../lab/processes/end-with-parent.ts'
import type { CliResult } from './cli.ts'
import { cleanEnvironment } from './environment.ts'
import { temporaryFolder } from './folder.ts'
import { until } from './until.ts'

export interface RunningScript {
  readonly pid: number | undefined
  /** The next line of standard output; rejects when it ends before. */
  readonly line: () => Promise<string>
  readonly stdout: () => string
  readonly stderr: () => string
  readonly kill: (signal: NodeJS.Signals) => void
  readonly ended: Promise<CliResult>
}

/** A program of `scripts/lib`, without the set-up before it. It is ended with the test. */
export function startScript(
  t: ExecutionContext,
  name: string,
  args: readonly string[],
  {
    folder,
    environment = {},
  }: { readonly folder: string; readonly environment?: NodeJS.ProcessEnv },
): RunningScript {
  const file = fileURLToPath(new URL(`../../scripts/lib/${name}.ts`, import.meta.url))
  const child = spawn(process.execPath, [file, ...args], {
    cwd: folder,
    env: { ...cleanEnvironment(folder), ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  endWithParent(child)
  const told = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text) => {
      told[stream] += text
    })
  }
  let code: number | null | undefined
  const ended = new Promise<CliResult>((resolve) => {
    child.once('close', (status) => {
      code = status
      resolve({ code: status, ...told })
    })
  })
  t.teardown(async () => {
    child.kill('SIGTERM')
    await ended
  })
  let read = 0
  const line = async () => {
    const end = await until(
      () => {
        const found = told.stdout.indexOf('\n', read)
        if (found < 0 && code !== undefined) throw new Error(`${name} has ended: ${told.stderr}`)
        return found >= 0 && found
      },
      () => told.stderr,
    )
    const found = told.stdout.slice(read, end)
    read = end + 1
    return found
  }
  return {
    pid: child.pid,
    line,
    stdout: () => told.stdout,
    stderr: () => told.stderr,
    kill: (signal) => void child.kill(signal),
    ended,
  }
}

/** One that ends by itself. */
export async function runScript(
  t: ExecutionContext,
  name: string,
  args: readonly string[],
): Promise<CliResult> {
  return startScript(t, name, args, { folder: await temporaryFolder(t) }).ended
}
