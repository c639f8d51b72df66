// Settings on their way to the process that stays, from a short one of the same program that reads and checks them:
// the code that reads configurations and opens keys, and what it leaves in memory, ends with that process. They go
// through a pipe that nobody else has: the key is in them, and arguments and variables of a process can be seen.

import { type ChildProcess, spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { deserialize, serialize } from 'node:v8'
import { version } from '../../../platform/system/version.ts'
import { isUraidenError, UraidenError } from '../../../protocol/index.ts'
import { agentError } from '../../errors/index.ts'
import { type PlainSettings, type Settings, settingsOf } from './settings.ts'

/** With what is allowed but unwise, each in a sentence. */
export interface Read<Kind> {
  readonly settings: Kind
  readonly warnings: readonly string[]
}

export type TakenOver = Read<Settings>

/** What is read, or why it is not. */
type Handover =
  | Read<PlainSettings>
  | { readonly refused: Pick<UraidenError, 'code' | 'message' | 'hint'> }
  | { readonly defect: unknown }

/** From a program that was exchanged meanwhile nothing is taken: an update restarts the daemon. */
interface Sent {
  readonly version: string
  readonly handover: Handover
}

/** Of the pipe, in the process that reads. */
const descriptor = 3

export interface SettingsReader {
  /** Program and arguments of a process that ends with `handOver`. */
  readonly command: readonly string[]
  readonly environment: NodeJS.ProcessEnv
}

/**
 * Starts the reader and takes what it hands over. It may ask for a password where there is a terminal.
 * @throws UraidenError what the reader has thrown, `settings_unread`
 */
export async function takeOver({
  command: [program = '', ...args],
  environment,
}: SettingsReader): Promise<TakenOver> {
  const reader = spawn(program, args, {
    env: environment,
    stdio: ['inherit', 'ignore', 'inherit', 'pipe'],
  })
  const end = (): void => {
    reader.kill()
  }
  process.once('exit', end)
  try {
    const ended = new Promise<string | undefined>((resolve) => {
      reader.once('error', ({ message }) => resolve(message))
      reader.once('close', (code, signal) => {
        resolve(code === 0 ? undefined : `it ended with ${signal ?? code}`)
      })
    })
    const [written, failed] = await Promise.all([handedOver(reader), ended])
    if (failed !== undefined) throw unread(failed)
    return takenFrom(written)
  } finally {
    process.off('exit', end)
  }
}

/** Nothing from one that does not start. */
async function handedOver({ stdio }: ChildProcess): Promise<Buffer> {
  const pipe = stdio?.[descriptor]
  return pipe instanceof Readable ? buffer(pipe).catch(() => Buffer.alloc(0)) : Buffer.alloc(0)
}

function takenFrom(written: Buffer): TakenOver {
  const { version: sender, handover } = sentIn(written)
  if (sender !== version) throw unread(`it is of version ${sender}, and this daemon of ${version}`)
  if ('defect' in handover) throw handover.defect
  if ('refused' in handover) throw new UraidenError(handover.refused)
  const { settings, warnings } = handover
  const taken = { settings: settingsOf(settings), warnings }
  // Tokens and passwords are in it as well.
  written.fill(0)
  return taken
}

function sentIn(written: Buffer): Sent {
  try {
    return deserialize(written)
  } catch {
    throw unread('it is nothing that can be read')
  }
}

/**
 * The other end. `read` gets where to say what is allowed but unwise. Resolves with what was handed over, if it was
 * settings.
 */
export async function handOver(
  read: (warn: (text: string) => void) => Promise<PlainSettings>,
): Promise<Read<PlainSettings> | undefined> {
  const warnings: string[] = []
  const handover: Handover = await read((text) => warnings.push(text)).then(
    (settings) => ({ settings, warnings }),
    refusal,
  )
  const sent: Sent = { version, handover }
  writeFileSync(descriptor, serialize(sent))
  return 'settings' in handover ? handover : undefined
}

function refusal(error: unknown): Handover {
  if (!isUraidenError(error)) return { defect: error }
  const { code, message, hint } = error
  return { refused: { code, message, hint } }
}

function unread(how: string): UraidenError {
  return agentError({
    code: 'settings_unread',
    message: `Nothing was taken from the process that reads the configuration: ${how}.`,
  })
}
