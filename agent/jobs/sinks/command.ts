// The sink that is a program: started for each entry, with the body on its standard input. No shell.

import { runProgram } from '../../../platform/system/program.ts'
import { shorten, type UraidenError } from '../../../protocol/index.ts'
import { agentError } from '../../errors/index.ts'
import type { Entry, Sink } from './types.ts'

export interface CommandOptions {
  /** The program and its arguments. */
  readonly command: readonly [string, ...string[]]
  /** Until it is killed, in milliseconds. */
  readonly timeout: number
}

export function createCommandSink(options: CommandOptions): Sink {
  const stopping = new AbortController()
  return {
    deliver: async (entries) => {
      for (const [arrived, entry] of entries.entries()) {
        try {
          await run(options, entry, stopping.signal)
        } catch (error) {
          if (arrived > 0) return arrived
          throw error
        }
      }
      return entries.length
    },
    stop: async () => stopping.abort(),
  }
}

async function run(
  { command, timeout }: CommandOptions,
  entry: Entry,
  stopping: AbortSignal,
): Promise<void> {
  const [program] = command
  const { code, signal, complaint } = await runProgram({
    command,
    input: entry.payload,
    environment: environmentFor(entry),
    stop: AbortSignal.any([stopping, AbortSignal.timeout(timeout)]),
  }).catch((cause) => {
    throw failed(program, 'cannot be started', cause.message)
  })
  if (code === 0) return
  throw failed(program, code === null ? `was ended by ${signal}` : `ends with ${code}`, complaint)
}

function environmentFor({ id, job, time, contentType, authentic }: Entry): NodeJS.ProcessEnv {
  return {
    URAIDEN_ID: id,
    URAIDEN_JOB: job,
    URAIDEN_TIME: new Date(time).toISOString(),
    URAIDEN_CONTENT_TYPE: contentType,
    ...(authentic !== undefined && { URAIDEN_AUTHENTIC: `${authentic}` }),
  }
}

function failed(program: string, how: string, complaint: string): UraidenError {
  return agentError({
    code: 'command_failed',
    message: `The command ${program} ${how}${complaint && `: ${shorten(complaint, 200)}`}.`,
  })
}
