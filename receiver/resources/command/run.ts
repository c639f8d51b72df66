// One run of a command: its output, or why there is none. No shell, no input, bounded in time and
// bytes, and nothing of it is left when it is over.

import { type ChildProcessByStdio, spawn } from 'node:child_process'
import type { Readable } from 'node:stream'
import { shorten, type UraidenError } from '../../../protocol/index.ts'
import { receiverError } from '../../errors/index.ts'

export interface RunOptions {
  /** The program and its arguments. */
  readonly command: readonly string[]
  /** Working directory. */
  readonly folder: string
  /** Milliseconds. */
  readonly timeout: number
  /** Bytes. */
  readonly mostOutput: number
  /** Ends the run early. */
  readonly signal: AbortSignal
  readonly environment?: NodeJS.ProcessEnv
}

/** Of what a command says about its failure, so much goes to the log. */
const mostComplaint = 2000

/**
 * Milliseconds after its exit for what it wrote to arrive. What left its group may hold the pipe for ever,
 * and cannot be ended.
 */
const mostWait = 1000

/**
 * What the command wrote to standard output.
 * @throws UraidenError `command_not_startable`, `command_failed`, `command_timeout`,
 * `command_output_too_large`, `command_stopped`
 */
export async function runCommand(options: RunOptions): Promise<Buffer> {
  const { command, folder, signal, environment = process.env } = options
  const [program = '', ...args] = command
  if (signal.aborted) {
    throw problem('command_stopped', program, 'was not started: the receiver stops.')
  }
  const child = spawn(program, args, {
    cwd: folder,
    env: withoutSecrets(environment),
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own, so that what it started ends with it.
    detached: true,
  })
  let closed = false
  child.once('close', () => {
    closed = true
  })
  try {
    return await outcomeOf(child, program, options)
  } finally {
    if (!closed) killGroup(child.pid)
    child.stdout.destroy()
    child.stderr.destroy()
  }
}

type Child = ChildProcessByStdio<null, Readable, Readable>

/** Settles by the limits, whatever becomes of the command. */
function outcomeOf(child: Child, program: string, limits: RunOptions): Promise<Buffer> {
  const { timeout, mostOutput, signal } = limits
  const output: Buffer[] = []
  let size = 0
  let complaint = ''
  let waiting: NodeJS.Timeout | undefined
  return new Promise<Buffer>((resolve, reject) => {
    const tidy = () => {
      clearTimeout(timer)
      clearTimeout(waiting)
      signal.removeEventListener('abort', onAbort)
    }
    const end = (code: ProblemCode, says: string) => {
      tidy()
      reject(problem(code, program, says))
    }
    const late = () => end('command_timeout', `took longer than ${timeout / 1000} s.`)
    const onAbort = () => end('command_stopped', 'was ended: the receiver stops.')
    const timer = setTimeout(late, timeout)
    signal.addEventListener('abort', onAbort, { once: true })
    child.stdout.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size <= mostOutput) output.push(chunk)
      else end('command_output_too_large', `wrote more than ${mostOutput} bytes.`)
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      if (complaint.length < mostComplaint) complaint += text
    })
    child.once('error', ({ message }) => {
      end('command_not_startable', `cannot be started (${message}).`)
    })
    const over = (code: number | null, killedBy: NodeJS.Signals | null) => {
      tidy()
      if (code === 0) return resolve(Buffer.concat(output))
      const how = code === null ? `was ended by ${killedBy}` : `ended with exit code ${code}`
      const said = shorten(complaint.trim(), mostComplaint)
      end('command_failed', `${how}${said && `: ${said}`}`)
    }
    child.once('close', over)
    child.once('exit', (...how) => {
      waiting = setTimeout(over, mostWait, ...how)
    })
  })
}

/** What it started may have ended already, and then there is nothing to end. */
function killGroup(pid: number | undefined): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch (error) {
    if ((error as { readonly code?: string }).code !== 'ESRCH') throw error
  }
}

/** The receiver's own settings may hold a password, and systemd's are not for others. */
function withoutSecrets(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const ours = /^(URAIDEN_|CREDENTIALS_DIRECTORY$|NOTIFY_SOCKET$|NODE_OPTIONS$)/
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !ours.test(name)))
}

type ProblemCode =
  | 'command_failed'
  | 'command_not_startable'
  | 'command_output_too_large'
  | 'command_stopped'
  | 'command_timeout'

function problem(code: ProblemCode, program: string, says: string): UraidenError {
  return receiverError({ code, message: `${program} ${says}` })
}
