// The sink that is a program: started for each entry, with the body on its standard input. No shell.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { endsWithin } from '../../../platform/async/ends-within.ts'
import { defined, shorten, type UraidenError } from '../../../protocol/index.ts'
import { agentError } from '../../errors/index.ts'
import type { Entry, Sink } from './types.ts'

export interface CommandOptions {
  /** The program and its arguments. */
  readonly command: readonly [string, ...string[]]
  /** Until it is killed, in milliseconds. */
  readonly timeout: number
}

const mostComplaint = 2000

/** Milliseconds. */
const forLastWords = 1000

export function createCommandSink(options: CommandOptions): Sink {
  const running = new Set<ChildProcess>()
  return {
    deliver: async (entries) => {
      for (const [arrived, entry] of entries.entries()) {
        try {
          await run(options, entry, running)
        } catch (error) {
          if (arrived > 0) return arrived
          throw error
        }
      }
      return entries.length
    },
    stop: async () => {
      for (const child of running) killGroup(child)
    },
  }
}

async function run(
  { command, timeout }: CommandOptions,
  entry: Entry,
  running: Set<ChildProcess>,
): Promise<void> {
  const [program, ...args] = command
  // In a group of its own, so that what it starts ends with it.
  const child = spawn(program, args, {
    env: environmentFor(entry),
    stdio: ['pipe', 'ignore', 'pipe'],
    detached: true,
  })
  running.add(child)
  const timer = setTimeout(() => killGroup(child), timeout)
  let complaint = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-mostComplaint)
  })
  // A program need not read its input.
  child.stdin.on('error', () => undefined)
  child.stdin.end(entry.payload)
  try {
    const said = once(child.stderr, 'close')
    const [code, signal] = await ended(child, program)
    if (code === 0) return
    // What left its group may keep it open.
    await endsWithin(said, forLastWords)
    throw failed(program, code === null ? `was ended by ${signal}` : `ends with ${code}`, complaint)
  } finally {
    clearTimeout(timer)
    running.delete(child)
    // What left its group may hold them for ever.
    child.stdin.destroy()
    child.stderr.destroy()
  }
}

/** Not the agent's own environment: it may hold the password of its key. */
function environmentFor({ id, job, time, contentType, authentic }: Entry): NodeJS.ProcessEnv {
  const { PATH, HOME, LANG, TZ } = process.env
  return {
    ...defined({ PATH, HOME, LANG, TZ }),
    URAIDEN_ID: id,
    URAIDEN_JOB: job,
    URAIDEN_TIME: new Date(time).toISOString(),
    URAIDEN_CONTENT_TYPE: contentType,
    ...(authentic !== undefined && { URAIDEN_AUTHENTIC: `${authentic}` }),
  }
}

function ended(
  child: ChildProcess,
  program: string,
): Promise<readonly [number | null, NodeJS.Signals | null]> {
  return new Promise((resolve, reject) => {
    child.once('error', (cause) => reject(failed(program, 'cannot be started', cause.message)))
    child.once('exit', (code, signal) => resolve([code, signal]))
  })
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // It has ended already.
  }
}

function failed(program: string, how: string, complaint: string): UraidenError {
  const said = complaint.trim()
  return agentError({
    code: 'command_failed',
    message: `The command ${program} ${how}${said && `: ${shorten(said, 200)}`}.`,
  })
}
