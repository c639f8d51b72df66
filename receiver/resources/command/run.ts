// One run of a command: its output, or why there is none. No shell, no input, bounded in time and
// bytes, and nothing of it is left when it is over.

import { spawn } from 'node:child_process'
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
 * What the command wrote to standard output.
 * @throws UraidenError `command_not_startable`, `command_failed`, `command_timeout`,
 * `command_output_too_large`, `command_stopped`
 */
export function runCommand(options: RunOptions): Promise<Buffer> {
  const { command, folder, timeout, mostOutput, signal, environment = process.env } = options
  const [program = '', ...args] = command
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(problem('command_stopped', program, 'was not started: the receiver stops.'))
      return
    }
    const child = spawn(program, args, {
      cwd: folder,
      env: withoutSecrets(environment),
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own, so that what it started ends with it.
      detached: true,
    })
    const output: Buffer[] = []
    let size = 0
    let complaint = ''
    let early: UraidenError | undefined
    const end = (error: UraidenError) => {
      early ??= error
      killGroup(child.pid)
    }
    const timer = setTimeout(
      () => end(problem('command_timeout', program, `took longer than ${timeout / 1000} s.`)),
      timeout,
    )
    const onAbort = () => end(problem('command_stopped', program, 'was ended: the receiver stops.'))
    signal.addEventListener('abort', onAbort, { once: true })
    const tidy = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
    }
    child.stdout.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size <= mostOutput) output.push(chunk)
      else {
        end(problem('command_output_too_large', program, `wrote more than ${mostOutput} bytes.`))
      }
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      if (complaint.length < mostComplaint) complaint += text
    })
    child.once('error', (error) => {
      tidy()
      reject(problem('command_not_startable', program, `cannot be started (${error.message}).`))
    })
    child.once('close', (code, killedBy) => {
      tidy()
      if (early !== undefined) reject(early)
      else if (code === 0) resolve(Buffer.concat(output))
      else {
        const how = code === null ? `was ended by ${killedBy}` : `ended with exit code ${code}`
        const said = shorten(complaint.trim(), mostComplaint)
        reject(problem('command_failed', program, `${how}${said && `: ${said}`}`))
      }
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

function problem(
  code:
    | 'command_failed'
    | 'command_not_startable'
    | 'command_output_too_large'
    | 'command_stopped'
    | 'command_timeout',
  program: string,
  says: string,
): UraidenError {
  return receiverError({
    code,
    message: `${program} ${says}`,
  })
}
