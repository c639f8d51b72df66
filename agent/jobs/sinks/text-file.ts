// The sink that is a file of texts which do not say whose they are: lines of a template, rows of CSV. What has arrived
// is known by a mark that is kept before each append: which entries are written where. A process that is killed
// repeats none of them; after a power cut, which may take the mark, the last ones can come again.
//
// Loaded where there is such a sink.
import type { FileHandle } from 'node:fs/promises'
import type { Milliseconds } from '../../../platform/time/clock.ts'
import { unwritable } from './file.ts'
import {
  beginSync,
  fullFiles,
  isStillAt,
  mustRotate,
  openLineFile,
  type RotationRule,
  readAt,
  rotate,
} from './line-file.ts'
import type { Entry, Sink, SinkMarks } from './types.ts'

export interface TextFileOptions {
  readonly path: string
  readonly rotation: RotationRule
  readonly lineEnd: '\n' | '\r\n'
  /** The first line of every file. */
  readonly header?: string
  readonly marks: SinkMarks
}

interface Mark {
  readonly inode: number
  /** Where its entries begin. */
  readonly offset: number
  /** Of the first entry of the file. */
  readonly since: Milliseconds
  /** The last entry before them. */
  readonly before?: string | undefined
  /** The first full file that is ours. */
  readonly made?: number | undefined
  readonly batch: readonly (readonly [id: string, bytes: number])[]
}

interface Current {
  readonly handle: FileHandle
  readonly inode: number
  size: number
  /** As it was then. */
  synced: number
  since: Milliseconds | undefined
  /** What is missing before the next line: the end of somebody else's, or the header. */
  prefix: string
}

export function createTextFileSink(options: TextFileOptions): Sink {
  return new TextFileSink(options)
}

class TextFileSink implements Sink {
  readonly #options: TextFileOptions
  #current: Current | undefined
  #last: string | undefined
  #made: number | undefined

  constructor(options: TextFileOptions) {
    this.#options = options
  }

  async deliver(entries: readonly Entry[]): Promise<number> {
    const { path } = this.#options
    let arrived = 0
    try {
      if (this.#current && !(await isStillAt(this.#current.handle, path))) await this.#close()
      while (arrived < entries.length) arrived += await this.#append(entries.slice(arrived))
      return arrived
    } catch (error) {
      throw unwritable(path, error)
    }
  }

  async lastDelivered(): Promise<string | undefined> {
    const { path } = this.#options
    await this.#close()
    try {
      const mark = await this.#mark()
      this.#made = mark?.made
      this.#last = mark && (await arrivedOf(mark, path))
      return this.#last
    } catch (error) {
      throw unwritable(path, error)
    }
  }

  async beginSettling(): Promise<void> {
    if (this.#current !== undefined) await beginSync(this.#options.path, this.#current)
  }

  async settle(): Promise<void> {
    const current = this.#current
    try {
      await current?.handle.datasync()
      if (current !== undefined) current.synced = current.size
    } catch (error) {
      throw unwritable(this.#options.path, error)
    }
  }

  stop(): Promise<void> {
    return this.#close()
  }

  async #mark(): Promise<Mark | undefined> {
    const text = await this.#options.marks.get()
    return text === undefined ? undefined : JSON.parse(text)
  }

  /** As many as fit into one file. */
  async #append(entries: readonly Entry[]): Promise<number> {
    const { rotation, marks } = this.#options
    const current = this.#current ?? (await this.#open())
    const { inode, size: offset } = current
    const lines: Buffer[] = []
    const batch: [string, number][] = []
    let { size, since, prefix } = current
    for (const { id, time, payload } of entries) {
      const line = Buffer.from(`${prefix}${this.#ended(payload)}`)
      if (mustRotate(rotation, { size, since }, { bytes: line.length, time })) break
      since ??= time
      prefix = ''
      size += line.length
      lines.push(line)
      batch.push([id, line.length])
    }
    if (since === undefined || batch.length === 0) return this.#rotate(current)
    const mark: Mark = { inode, offset, since, before: this.#last, made: this.#made, batch }
    await marks.put(JSON.stringify(mark))
    await current.handle.appendFile(Buffer.concat(lines))
    Object.assign(current, { size, since, prefix })
    this.#last = batch.at(-1)?.[0]
    return batch.length
  }

  #ended(payload: Uint8Array): string {
    const { lineEnd } = this.#options
    const text = Buffer.from(payload).toString('utf8')
    return text.endsWith('\n') ? text : `${text}${lineEnd}`
  }

  async #open(): Promise<Current> {
    const { path, header, lineEnd } = this.#options
    const { handle, found } = await openLineFile(path)
    const { size, whole, firstLine } = found
    const { ino: inode } = await handle.stat()
    const mark = await this.#mark()
    const begun = size > whole ? lineEnd : ''
    const first = size === 0 && header !== undefined ? `${header}${lineEnd}` : ''
    const since = mark?.inode === inode && size > 0 ? mark.since : undefined
    const current = { handle, inode, size, synced: size, since, prefix: `${begun}${first}` }
    this.#current = current
    // Other columns, or no table at all: rows go into a file of their own.
    if (header !== undefined && size > 0 && firstLine?.replace(/\r$/, '') !== header) {
      await this.#rotate(current)
      return this.#open()
    }
    return current
  }

  async #rotate({ handle }: Current): Promise<0> {
    const { path, rotation } = this.#options
    await handle.datasync()
    await this.#close()
    this.#made = await rotate(
      path,
      rotation,
      (_, number) => number >= (this.#made ?? number + 1),
    ).then((number) => this.#made ?? number)
    return 0
  }

  async #close(): Promise<void> {
    const { handle } = this.#current ?? {}
    this.#current = undefined
    await handle?.close()
  }
}

/** The newest entry of the mark that is in its file as a whole. The beginning of a further one is cut off. */
async function arrivedOf(mark: Mark, path: string): Promise<string | undefined> {
  for (const file of [path, ...(await fullFiles(path).catch(() => []))]) {
    const { handle, found } = await openLineFile(file)
    try {
      if ((await handle.stat()).ino !== mark.inode) continue
      return await arrivedIn(mark, { handle, size: found.size })
    } finally {
      await handle.close()
    }
  }
  return mark.before
}

async function arrivedIn(
  { offset, batch, before }: Mark,
  { handle, size }: Pick<Current, 'handle' | 'size'>,
): Promise<string | undefined> {
  let [last, end] = [before, offset]
  for (const [id, bytes] of batch) {
    // Each ends in a newline. What a power cut kept of the file may be its length alone: the rest reads as zeros.
    const isWhole = end + bytes <= size && (await readAt(handle, end + bytes - 1, end + bytes))[0]
    if (!isWhole) {
      if (size > end) await handle.truncate(end)
      break
    }
    end += bytes
    last = id
  }
  return last
}
