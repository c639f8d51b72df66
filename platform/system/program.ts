// A program that gets something on its standard input. No shell.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { endsWithin } from '../async/ends-within.ts'

export interface ProgramRun {
  /** The program and its arguments. */
  readonly command: readonly [string, ...string[]]
  readonly input: string | Uint8Array
  /** Beside PATH, HOME, LANG and TZ. Ours stays here: it may hold the password of a key. */
  readonly environment?: NodeJS.ProcessEnv
  /** Kills it, with all that it has started. */
  readonly stop: AbortSignal
}

export interface ProgramEnd {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** The end of what it wrote to standard error when it failed. */
  readonly complaint: string
}

const mostComplaint = 2000

/** Milliseconds. */
const forLastWords = 1000

/** @throws Error the system's, when it cannot be started */
export async function runProgram(run: ProgramRun): Promise<ProgramEnd> {
  const { command, input, environment, stop } = run
  const [program, ...args] = command
  const { PATH, HOME, LANG, TZ } = process.env
  // In a group of its own, so that what it starts ends with it.
  const child = spawn(program, args, {
    env: { PATH, HOME, LANG, TZ, ...environment },
    stdio: ['pipe', 'ignore', 'pipe'],
    detached: true,
  })
  const kill = (): void => killGroup(child)
  if (stop.aborted) kill()
  stop.addEventListener('abort', kill)
  let complaint = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-mostComplaint)
  })
  // A program need not read its input.
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  try {
    const said = once(child.stderr, 'close')
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
    // What left its group may keep it open.
    if (code !== 0) await endsWithin(said, forLastWords)
    return { code, signal, complaint: complaint.trim() }
  } finally {
    stop.removeEventListener('abort', kill)
    // What left its group may hold them for ever.
    child.stdin.destroy()
    child.stderr.destroy()
  }
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // It has ended already.
  }
}
