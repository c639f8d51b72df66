// How a script ends: with what went wrong in two lines, when it went wrong on purpose, or when a signal asks it to.

import { exitCodesOf } from '../../../platform/cli/exit-codes.ts'
import { platformErrors } from '../../../platform/errors/index.ts'
import { isUraidenError, protocolErrors } from '../../../protocol/index.ts'
import { toolError, toolErrors } from './errors.ts'

const exitCodeOf = exitCodesOf({ ...protocolErrors, ...platformErrors, ...toolErrors })

/** Sets the exit code; an error that nobody made on purpose keeps its stack. */
export async function runScript(name: string, work: () => Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    if (!isUraidenError(error)) throw error
    const { code, message, hint } = error
    process.exitCode = exitCodeOf(code)
    process.stderr.write(`${name}: ${message}\n${hint}   (${code}, exit ${process.exitCode})\n`)
  }
}

/** Resolves when the person, or the system, wants it to end. */
export function stopRequest(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      // A second Ctrl-C must not leave half of it running.
      process.on(signal, () => resolve())
    }
  })
}

/**
 * What `listen` resolves with.
 * @throws UraidenError `port_in_use`
 */
export async function listening<Value>(port: number, listen: () => Promise<Value>): Promise<Value> {
  try {
    return await listen()
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw cause
    throw toolError({ code: 'port_in_use', message: `Port ${port} is in use.`, cause })
  }
}

/** What was started, to be ended in the opposite order. */
export interface Started {
  readonly add: (stop: () => Promise<unknown>) => void
  /** Ends all of it, also when the end of one fails. */
  readonly stop: () => Promise<void>
}

export function createStarted(): Started {
  const stops: (() => Promise<unknown>)[] = []
  const end = async () => {
    const failures: unknown[] = []
    for (const each of stops.splice(0).reverse()) {
      await each().catch((error: unknown) => failures.push(error))
    }
    if (failures.length > 0) throw failures[0]
  }
  let ended = Promise.resolve()
  return {
    add: (stop) => void stops.push(stop),
    stop: () => {
      ended = ended.then(end)
      return ended
    },
  }
}
