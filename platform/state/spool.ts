// State on a card that is to be written seldom. Between two flushes changes go into a file in memory (a tmpfs);
// a flush writes all of them with one synced batch. A process that is killed loses nothing, a power cut what
// came since the last flush.
//
// The file lies upon one very state of the card: each batch on the card puts a new random name for what it has
// made, and the file begins with that name. So a file is read again only over what it was written over, never over
// an older copy of the card, nor over one that was written to meanwhile. Whoever opens the state without a spool
// removes the name, see `openState`.
import { createHash, randomUUID } from 'node:crypto'
import { type FileHandle, open, readFile, rm } from 'node:fs/promises'
import { createTurns } from '../async/turns.ts'
import {
  forgetSpool,
  keysUnder,
  openState,
  readOwner,
  readState,
  type StateDatabase,
  type StateOptions,
  type StateOwner,
  spoolMark,
} from './state.ts'

export type StateOperation =
  | { readonly type: 'put'; readonly key: string; readonly value: string }
  | { readonly type: 'del'; readonly key: string }

export interface SpoolOptions extends Omit<StateOptions, 'spooled'> {
  /** In a folder on a tmpfs, which is there. */
  readonly spool: string
  /** Begin of the keys of what is of use to this machine's run only: it never gets onto the card. */
  readonly fleeting?: string | undefined
  /** What a file may grow to before it is flushed, in bytes. Default 4 MiB: it counts as memory. */
  readonly most?: number
}

export interface SpooledState {
  /** Whose it is, as `readOwner` says it. */
  readonly owner: StateOwner
  /**
   * Resolves when a killed process would not lose it. Goes to the card where the spool takes no more. All or
   * nothing, in the order of the calls, those of `write` among them.
   * @throws UraidenError `state_unwritable`
   */
  readonly spool: (operations: readonly StateOperation[]) => Promise<void>
  /**
   * Resolves when it is on the card, with all that was spooled: one synced batch, none where nothing is new.
   * @throws UraidenError `state_unwritable`
   */
  readonly write: (operations: readonly StateOperation[]) => Promise<void>
  /** @throws UraidenError `state_unusable` */
  readonly getMany: (keys: readonly string[]) => Promise<readonly (string | undefined)[]>
  /** In the order of their keys. @throws UraidenError `state_unusable` */
  readonly records: (prefix: string) => AsyncIterable<readonly [string, string]>
  /** Whether the card has records whose keys begin so, whatever the spool says. @throws UraidenError `state_unusable` */
  readonly isOnCard: (prefix: string) => Promise<boolean>
  /** Whether a power cut would change records with such keys. @throws UraidenError `state_unusable` */
  readonly isBehind: (isMeant: (key: string) => boolean) => Promise<boolean>
  /** Writes what is spooled to the card; from then on an older program may open it. */
  readonly close: () => Promise<void>
}

/** @throws UraidenError those of `openState` */
export async function openSpooledState(options: SpoolOptions): Promise<SpooledState> {
  const { folder, spool, fleeting, format, most = 4 << 20 } = options
  const db = await openState({ ...options, spooled: true })
  try {
    const name = await readState(folder, () => db.get(spoolMark))
    const found = await readSpool(spool)
    const state = new Spooled(db, { folder, spool, fleeting, format, most })
    if (found !== undefined && found.name === name) await state.takeUp(found)
    return {
      owner: (await readOwner(db)) ?? options.owner,
      spool: (operations) => state.spool(operations),
      write: (operations) => state.write(operations),
      getMany: (keys) => state.getMany(keys),
      records: (prefix) => state.records(prefix),
      isOnCard: (prefix) => state.isOnCard(prefix),
      isBehind: (isMeant) => state.isBehind(isMeant),
      close: () => state.close(),
    }
  } catch (error) {
    await db.close()
    throw error
  }
}

type Change = readonly [key: string, value: string | undefined]

interface FoundSpool {
  readonly name: string
  readonly batches: readonly (readonly StateOperation[])[]
  /** Bytes up to the end of its last whole record. */
  readonly length: number
}

type Place = Pick<SpoolOptions, 'folder' | 'spool' | 'fleeting' | 'format'> & {
  readonly most: number
}

class Spooled implements Omit<SpooledState, 'owner'> {
  readonly #db: StateDatabase
  readonly #place: Place
  readonly #turns = createTurns()
  /** What the spool has and the card has not; undefined where a record is deleted. */
  #changes = new Map<string, string | undefined>()
  /** Undefined while nothing may be spooled: what is to be kept goes to the card. */
  #file: FileHandle | undefined
  #length = 0

  constructor(db: StateDatabase, place: Place) {
    this.#db = db
    this.#place = place
  }

  async takeUp({ batches, length }: FoundSpool): Promise<void> {
    for (const batch of batches) this.#apply(batch)
    try {
      this.#file = await open(this.#place.spool, 'a', 0o600)
      // What was being written when the process was killed.
      await this.#file.truncate(length)
      this.#length = length
    } catch {
      await this.#giveUp()
    }
  }

  spool(operations: readonly StateOperation[]): Promise<void> {
    return this.#turns.take(async () => {
      const line = lineOf(operations)
      const fits = this.#length + line.length <= this.#place.most
      if (fits && (await this.#append(line))) this.#apply(operations)
      else await this.#toCard(operations)
    })
  }

  write(operations: readonly StateOperation[]): Promise<void> {
    return this.#turns.take(() => this.#toCard(operations))
  }

  async getMany(keys: readonly string[]): Promise<readonly (string | undefined)[]> {
    const changes = new Map(this.#changes)
    const others = keys.filter((key) => !changes.has(key))
    const found = await this.#onCard(others)
    const values = new Map(others.map((key, index) => [key, found[index]]))
    return keys.map((key) => (changes.has(key) ? changes.get(key) : values.get(key)))
  }

  async *records(prefix: string): AsyncGenerator<readonly [string, string]> {
    const changes = new Map([...this.#changes].filter(([key]) => key.startsWith(prefix)))
    const added = [...changes.keys()].sort()
    const records = this.#db.iterator(keysUnder(prefix))
    try {
      for (;;) {
        const record = await readState(this.#place.folder, () => records.next())
        while (added[0] !== undefined && (record === undefined || added[0] <= record[0])) {
          const key = added.shift() ?? ''
          const value = changes.get(key)
          if (value !== undefined) yield [key, value]
        }
        if (record === undefined) return
        if (!changes.has(record[0])) yield record
      }
    } finally {
      await records.close()
    }
  }

  async isOnCard(prefix: string): Promise<boolean> {
    const [first] = await readState(this.#place.folder, () =>
      this.#db.keys({ ...keysUnder(prefix), limit: 1 }).all(),
    )
    return first !== undefined
  }

  async isBehind(isMeant: (key: string) => boolean): Promise<boolean> {
    const changes = [...this.#changes].filter(([key]) => isMeant(key) && !this.#isFleeting(key))
    return (await this.#unknownToCard(changes)).length > 0
  }

  async close(): Promise<void> {
    try {
      await this.write([])
      await this.#giveUp()
      await rm(this.#place.spool, { force: true })
      await forgetSpool(this.#db, this.#place)
    } finally {
      await this.#giveUp()
      await this.#db.close()
    }
  }

  #apply(operations: readonly StateOperation[]): void {
    for (const each of operations) {
      this.#changes.set(each.key, each.type === 'put' ? each.value : undefined)
    }
  }

  /** False when it is not kept: what stands there may be half a record, behind which nothing is read. */
  async #append(line: Buffer): Promise<boolean> {
    if (this.#file === undefined) return false
    try {
      await this.#file.appendFile(line)
      this.#length += line.length
      return true
    } catch {
      await this.#giveUp()
      return false
    }
  }

  async #toCard(operations: readonly StateOperation[]): Promise<void> {
    const all = new Map(this.#changes)
    for (const each of operations) all.set(each.key, each.type === 'put' ? each.value : undefined)
    const lasting = await this.#unknownToCard([...all].filter(([key]) => !this.#isFleeting(key)))
    const fleeting = [...all].filter(([key, value]) => this.#isFleeting(key) && value !== undefined)
    if (lasting.length === 0 && this.#file !== undefined && operations.length === 0) return
    if (all.size === 0) return
    // Of a batch that fails nobody knows whether it is there: nothing may be added to the spool before it.
    const file = this.#file
    this.#file = undefined
    const name = randomUUID()
    try {
      await this.#db.batch([...lasting.map(operationOf), mark(name)], { sync: true })
    } catch (error) {
      await file?.close()
      throw error
    }
    this.#changes = new Map(fleeting)
    await this.#begin(file, [lineOf({ name }), lineOf(fleeting.map(operationOf))])
  }

  #onCard(keys: readonly string[]): Promise<readonly (string | undefined)[]> {
    return readState(this.#place.folder, () => this.#db.getMany([...keys]))
  }

  /** What came and went between two flushes never gets there. */
  async #unknownToCard(changes: readonly Change[]): Promise<readonly Change[]> {
    const deleted = changes.flatMap(([key, value]) => (value === undefined ? [key] : []))
    const found = await this.#onCard(deleted)
    const there = new Set(deleted.filter((_, index) => found[index] !== undefined))
    return changes.filter(([key, value]) => value !== undefined || there.has(key))
  }

  /** What the card has now is the spool's no more. */
  async #begin(file: FileHandle | undefined, lines: readonly Buffer[]): Promise<void> {
    try {
      this.#file = file ?? (await open(this.#place.spool, 'a', 0o600))
      const begin = Buffer.concat(lines)
      await this.#file.truncate(0)
      await this.#file.appendFile(begin)
      this.#length = begin.length
    } catch {
      await this.#giveUp()
    }
  }

  async #giveUp(): Promise<void> {
    const file = this.#file
    this.#file = undefined
    await file?.close().catch(() => undefined)
  }

  #isFleeting(key: string): boolean {
    const { fleeting } = this.#place
    return fleeting !== undefined && key.startsWith(fleeting)
  }
}

function mark(name: string): StateOperation {
  return { type: 'put', key: spoolMark, value: name }
}

function operationOf([key, value]: Change): StateOperation {
  return value === undefined ? { type: 'del', key } : { type: 'put', key, value }
}

/** JSON has no line ends. */
function lineOf(record: object): Buffer {
  const text = JSON.stringify(record)
  return Buffer.from(`${checksum(text)} ${text}\n`)
}

const digits = 16

function checksum(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, digits)
}

const newline = 0x0a

/** Up to the first record that is not whole. Undefined where there is none that can be read. */
async function readSpool(path: string): Promise<FoundSpool | undefined> {
  const bytes = await readFile(path).catch(() => Buffer.alloc(0))
  const records: unknown[] = []
  let length = 0
  for (;;) {
    const end = bytes.indexOf(newline, length)
    if (end < 0) break
    const line = bytes.toString('utf8', length, end)
    const text = line.slice(digits + 1)
    if (line.slice(0, digits) !== checksum(text)) break
    records.push(JSON.parse(text))
    length = end + 1
  }
  const [begin, ...batches] = records
  if (begin === undefined) return undefined
  const { name } = begin as { readonly name: string }
  return { name, batches: batches as FoundSpool['batches'], length }
}
