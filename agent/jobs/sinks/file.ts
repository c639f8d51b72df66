// The sink that is a file: every entry once, as a JSON line, also when the process is killed.

import type { FileHandle } from 'node:fs/promises'
import type { UraidenError } from '../../../protocol/index.ts'
import { agentError } from '../../errors/index.ts'
import { jsonLine, lineFacts } from './entry.ts'
import {
  beginSync,
  fullFiles,
  isStillAt,
  lastLineOf,
  mustRotate,
  openLineFile,
  type RotationRule,
  readAt,
  rotate,
} from './line-file.ts'
import type { Entry, Sink } from './types.ts'
import { mendZeros } from './zeros.ts'

export interface FileSinkOptions {
  readonly path: string
  readonly rotation: RotationRule
}

interface Current {
  readonly handle: FileHandle
  size: number
  /** As it was then. */
  synced: number
  since: number | undefined
  /** Where the beginning of a line stands at its end, which is mended before anything is written. */
  torn: number | undefined
}

export function createFileSink(options: FileSinkOptions): Sink {
  return new FileSink(options)
}

class FileSink implements Sink {
  readonly #path: string
  readonly #rotation: RotationRule
  #current: Current | undefined

  constructor({ path, rotation }: FileSinkOptions) {
    this.#path = path
    this.#rotation = rotation
  }

  async deliver(entries: readonly Entry[]): Promise<number> {
    let arrived = 0
    try {
      if (this.#current && !(await isStillAt(this.#current.handle, this.#path))) await this.#close()
      while (arrived < entries.length) arrived += await this.#append(entries.slice(arrived))
      return arrived
    } catch (error) {
      // Some may have arrived and one may be cut short: `lastDelivered` finds out.
      throw unwritable(this.#path, error)
    }
  }

  /** Of the file, or of its predecessor when it is empty. */
  async lastDelivered(): Promise<string | undefined> {
    // Closed, because a write that failed may have left half a line, which the next one mends.
    await this.#close()
    try {
      await this.#open()
      for (const path of [this.#path, ...(await fullFiles(this.#path))]) {
        const line = await lastLineOf(path)
        if (line !== undefined) return lineFacts(line)?.id
      }
    } catch (error) {
      throw unwritable(this.#path, error)
    }
    return undefined
  }

  async beginSettling(): Promise<void> {
    if (this.#current !== undefined) await beginSync(this.#path, this.#current)
  }

  async settle(): Promise<void> {
    const current = this.#current
    try {
      await current?.handle.datasync()
      if (current !== undefined) current.synced = current.size
    } catch (error) {
      throw unwritable(this.#path, error)
    }
  }

  stop(): Promise<void> {
    return this.#close()
  }

  /** As many as fit into one file. */
  async #append(entries: readonly Entry[]): Promise<number> {
    const current = this.#current ?? (await this.#open())
    const [first] = entries
    if (first !== undefined) await mend(current, Buffer.from(jsonLine(first)))
    const lines: Buffer[] = []
    let { size, since } = current
    for (const entry of entries) {
      const line = Buffer.from(jsonLine(entry))
      const { time } = entry
      if (mustRotate(this.#rotation, { size, since }, { bytes: line.length, time })) break
      lines.push(line)
      size += line.length
      since ??= time
    }
    if (lines.length === 0) await this.#rotate(current)
    else await current.handle.appendFile(Buffer.concat(lines))
    if (lines.length > 0) Object.assign(current, { size, since })
    return lines.length
  }

  async #open(): Promise<Current> {
    const path = this.#path
    const { handle, found } = await openLineFile(path, (open, size) => mendZeros(path, open, size))
    const since = found.firstLine === undefined ? undefined : lineFacts(found.firstLine)?.time
    const torn = found.whole < found.size ? found.whole : undefined
    this.#current = { handle, size: found.size, synced: found.size, since, torn }
    return this.#current
  }

  async #rotate(current: Current): Promise<void> {
    await current.handle.datasync()
    await this.#close()
    await rotate(this.#path, this.#rotation, (line) => lineFacts(line) !== undefined)
  }

  async #close(): Promise<void> {
    const { handle } = this.#current ?? {}
    this.#current = undefined
    await handle?.close()
  }
}

const newline = Buffer.from('\n')

/** Cuts off the beginning of a line of ours; one of somebody else gets its end. `next` is the line to come. */
async function mend(current: Current, next: Buffer): Promise<void> {
  const { handle, torn } = current
  if (torn === undefined) return
  if (await isOurs({ ...current, torn }, next)) {
    await handle.truncate(torn)
    current.size = torn
  } else {
    await handle.appendFile(newline)
    current.size += newline.length
  }
  current.torn = undefined
}

/** Bytes. No answer that is bought as a whole makes a longer one. */
const longestLine = 128 << 20

/**
 * What a crash left of a line is the beginning of the line that is written again. Where that one made room for
 * others meanwhile, it still begins as ours do, and is no JSON because its end is missing.
 */
async function isOurs(
  { handle, size, torn }: Current & { readonly torn: number },
  next: Buffer,
): Promise<boolean> {
  const length = size - torn
  const begun = await readAt(handle, torn, Math.min(size, torn + next.length))
  if (length < next.length && next.subarray(0, length).equals(begun)) return true
  if (length > longestLine || !/^\{"id":"[^"]*","job":"/.test(begun.toString('utf8'))) return false
  return lineFacts((await readAt(handle, torn, size)).toString('utf8')) === undefined
}

export function unwritable(path: string, cause: unknown): UraidenError {
  const { code, message } = cause as { readonly code?: string; readonly message: string }
  return agentError({
    code: 'file_unwritable',
    message: `The file ${path} cannot be written (${code ?? message}).`,
    hint: 'What was bought waits in the queue. Check the disk, the folder and its owner.',
    cause,
  })
}
