// Programs that a script consists of, as child processes.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { UraidenError } from '../../../protocol/index.ts'
import { endWithParent } from '../../../test/lab/processes/end-with-parent.ts'
import { toolError } from '../shared/errors.ts'

export interface Child {
  /** The first line that it wrote to standard output. */
  readonly firstLine: string
  /** Resolves when it has ended; asks it to first. */
  readonly stop: () => Promise<void>
  /** Resolves with its exit code, whoever ended it. */
  readonly ended: Promise<number | null>
}

/** Milliseconds for a program that is asked to end. */
const patience = 15_000

/**
 * Resolves when the program has written its first line. It lives no longer than this process.
 * @throws UraidenError `program_ended` when it ends before that
 */
export async function startChild(
  file: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): Promise<Child> {
  const child = spawn(process.execPath, [file, ...args], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
    // Of a group of its own: Ctrl-C is for us, and we end them in order.
    detached: true,
  })
  endWithParent(child)
  const closed = once(child, 'close').then(([code]) => code as number | null)
  const firstLine = await Promise.race([
    readLine(child),
    closed.then(() => {
      throw ended(file)
    }),
  ])
  return {
    firstLine,
    ended: closed,
    stop: async () => {
      child.kill('SIGTERM')
      const late = setTimeout(() => child.kill('SIGKILL'), patience)
      await closed
      clearTimeout(late)
    },
  }
}

/**
 * A program of ours, whose first line is one JSON object: what it is, or what is wrong, which it says to
 * standard error as well.
 * @throws UraidenError `program_ended`
 */
export async function startProgram<Facts>(
  file: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): Promise<Child & { readonly facts: Facts }> {
  const child = await startChild(file, args, environment)
  const facts = JSON.parse(child.firstLine)
  if (typeof facts.error !== 'string') return { ...child, facts }
  await child.stop()
  throw ended(file)
}

function ended(file: string): UraidenError {
  const [name] = /[^/]+(?=\/cli\/main\.ts$)|[^/]+$/.exec(file) ?? []
  return toolError({ code: 'program_ended', message: `${name} has not started.` })
}

function readLine({ stdout }: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    let text = ''
    stdout?.setEncoding('utf8').on('data', (chunk) => {
      text += chunk
      const [line, rest] = text.split('\n', 2)
      if (line !== undefined && rest !== undefined) resolve(line)
    })
  })
}
