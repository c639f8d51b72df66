// Programs that a script consists of, as child processes.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { UraidenError } from '../../../protocol/index.ts'
import { watchedByParent } from '../../../test/lab/processes/end-with-parent.ts'
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

export interface ChildOptions {
  /** Beside the variables of this process. */
  readonly environment?: NodeJS.ProcessEnv
  /** It is wanted no more: one that has not started yet is killed. */
  readonly signal?: AbortSignal
}

/** A program without a first line. It lives no longer than this process. */
export function spawnChild(
  file: string,
  args: readonly string[],
  options: ChildOptions = {},
): Omit<Child, 'firstLine'> {
  const { stop, ended } = spawned(file, args, options)
  return { stop, ended }
}

/**
 * Resolves when the program has written its first line. It lives no longer than this process.
 * @throws UraidenError `program_ended` when it ends before that
 */
export async function startChild(
  file: string,
  args: readonly string[],
  options: ChildOptions = {},
): Promise<Child> {
  const { child, stop, ended } = spawned(file, args, options)
  const kill = () => child.kill('SIGKILL')
  options.signal?.addEventListener('abort', kill)
  try {
    const firstLine = await Promise.race([
      readLine(child),
      ended.then(() => {
        throw notStarted(file)
      }),
    ])
    return { firstLine, ended, stop }
  } finally {
    options.signal?.removeEventListener('abort', kill)
  }
}

function spawned(file: string, args: readonly string[], { environment }: ChildOptions) {
  const watcher = watchedByParent()
  const child = spawn(process.execPath, [file, ...args], {
    env: { ...process.env, ...environment, ...watcher.environment },
    stdio: ['ignore', 'pipe', 'inherit'],
    // Of a group of its own: Ctrl-C is for us, and we end them in order.
    detached: true,
  })
  watcher.watch(child)
  const ended = once(child, 'close').then(([code]) => code as number | null)
  const stop = async () => {
    child.kill('SIGTERM')
    const late = setTimeout(() => child.kill('SIGKILL'), patience)
    await ended
    clearTimeout(late)
  }
  return { child, ended, stop }
}

/**
 * A program of ours, whose first line is one JSON object: what it is, or what is wrong, which it says to
 * standard error as well.
 * @throws UraidenError `program_ended`
 */
export async function startProgram<Facts>(
  file: string,
  args: readonly string[],
  options: ChildOptions = {},
): Promise<Child & { readonly facts: Facts }> {
  const child = await startChild(file, args, options)
  const facts = JSON.parse(child.firstLine)
  if (typeof facts.error !== 'string') return { ...child, facts }
  await child.stop()
  throw notStarted(file)
}

function notStarted(file: string): UraidenError {
  const [name] = /[^/]+(?=\/cli\/main\.ts$)|[^/]+$/.exec(file) ?? []
  return toolError({ code: 'program_ended', message: `${name} has not started.` })
}

function readLine({ stdout }: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    let text = ''
    let isRead = false
    // It is read on, so that the program is not held up.
    stdout?.setEncoding('utf8').on('data', (chunk) => {
      if (isRead) return
      text += chunk
      const [line, rest] = text.split('\n', 2)
      if (line === undefined || rest === undefined) return
      isRead = true
      resolve(line)
    })
  })
}
