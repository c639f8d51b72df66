// State on a card that is to be written seldom. Between two flushes changes go into a file in memory (a tmpfs);
// a flush writes all of them with one synced batch. A process that is killed loses nothing, a power cut what
// came since the last flush.
//
// The file lies upon one very state of the card: each batch on the card puts a new random name for what it has
// made, and the file begins with that name. So a file is read again only over what it was written over, never over
// an older copy of the card, nor over one that was written to meanwhile. Whoever opens the state without a spool
// removes the name, see `openState`. A copy of what the file has may be kept on the card elsewhere: it lies upon that
// state as well, and takes the place of a file that a power cut has taken.
import { randomUUID } from 'node:crypto'
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { createTurns } from '../async/turns.ts'
import { beginOfSpool, type FoundSpool, readSpool, spoolLine } from './spool-file.ts'
import {
  formatKey,
  keysUnder,
  openState,
  readOwner,
  readState,
  type StateDatabase,
  type StateOperation,
  type StateOptions,
  type StateOwner,
  spoolMark,
  withoutSpool,
} from './state.ts'

export interface SpoolOptions extends Omit<StateOptions, 'spooled'> {
  /** In a folder on a tmpfs, which is there. */
  readonly spool: string
  /** Begin of the keys of what is of use to this machine's run only: it never gets onto the card. */
  readonly fleeting?: string | undefined
  /** What a file may grow to before it is flushed, in bytes. Default 4 MiB: it counts as memory. */
  readonly most?: number
  /** Of what the spool had, kept elsewhere: for a power cut that has taken the spool. */
  readonly copy?: unknown
}

/** It lies upon one very state of the card, as the spool does. JSON can hold it. */
export interface SpoolCopy {
  readonly name: string
  readonly operations: readonly StateOperation[]
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
  /**
   * What the card does not have of these keys, so that another state's batch brings it there; undefined where there is
   * no spool. @throws UraidenError `state_unusable`
   */
  readonly copy: (isMeant: (key: string) => boolean) => Promise<SpoolCopy | undefined>
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
  const { folder, spool, fleeting, format, most = 4 << 20, copy } = options
  const begun = randomUUID()
  const db = await openState({ ...options, spooled: begun })
  try {
    const name = await readState(folder, () => db.get(spoolMark))
    const found = await readSpool(spool)
    const state = new Spooled(db, { folder, spool, fleeting, format, most }, name)
    if (found !== undefined && found.name === name) await state.takeUp(found)
    else if (name === begun) await state.begin(name)
    else await state.beginAnew(isCopyOver(copy, name) ? copy.operations : [])
    return {
      owner: (await readOwner(db)) ?? options.owner,
      spool: (operations) => state.spool(operations),
      write: (operations) => state.write(operations),
      copy: (isMeant) => state.copy(isMeant),
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

function isCopyOver(copy: unknown, name: string | undefined): copy is SpoolCopy {
  return name !== undefined && (copy as Partial<SpoolCopy> | undefined)?.name === name
}

type Change = readonly [key: string, value: string | undefined]

type Place = Pick<SpoolOptions, 'folder' | 'spool' | 'fleeting' | 'format'> & {
  readonly most: number
}

class Spooled implements Omit<SpooledState, 'owner'> {
  readonly #db: StateDatabase
  readonly #place: Place
  readonly #turns = createTurns()
  /** Of the state of the card; undefined where a spool may not lie upon it. */
  #name: string | undefined
  /** What the spool has and the card has not; undefined where a record is deleted. */
  #changes = new Map<string, string | undefined>()
  /** Undefined while nothing may be spooled: what is to be kept goes to the card. */
  #file: FileHandle | undefined
  #length = 0

  constructor(db: StateDatabase, place: Place, name: string | undefined) {
    this.#db = db
    this.#place = place
    this.#name = name
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

  begin(name: string): Promise<void> {
    return this.#begin(undefined, name, [])
  }

  /** The spool is lost, and with it all but `operations`. */
  async beginAnew(operations: readonly StateOperation[]): Promise<void> {
    this.#apply(operations)
    // Where the card takes nothing now, the next write says so.
    await this.#turns.take(() => this.#commit(this.#changes)).catch(() => undefined)
  }

  spool(operations: readonly StateOperation[]): Promise<void> {
    return this.#turns.take(async () => {
      const line = spoolLine(operations)
      const fits = this.#length + line.length <= this.#place.most
      if (fits && (await this.#append(line))) this.#apply(operations)
      else await this.#toCard(operations)
    })
  }

  write(operations: readonly StateOperation[]): Promise<void> {
    return this.#turns.take(() => this.#toCard(operations))
  }

  copy(isMeant: (key: string) => boolean): Promise<SpoolCopy | undefined> {
    return this.#turns.take(async () => {
      const name = this.#name
      const changes = await this.#lasting(this.#changes)
      if (this.#file === undefined || name === undefined) return undefined
      await this.#shorten(name, changes)
      return { name, operations: changes.filter(([key]) => isMeant(key)).map(operationOf) }
    })
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
    const changes = new Map([...this.#changes].filter(([key]) => isMeant(key)))
    return (await this.#lasting(changes)).length > 0
  }

  async close(): Promise<void> {
    try {
      await this.#turns.take(() => this.#end())
      await this.#giveUp()
      for (const file of [this.#place.spool, this.#shorter]) await rm(file, { force: true })
    } finally {
      await this.#giveUp()
      await this.#db.close()
    }
  }

  /** One batch says that all is on the card, and brings it there. */
  async #end(): Promise<void> {
    const [found] = await this.getMany([formatKey])
    const [name] = await this.#onCard([spoolMark])
    const lasting = await this.#lasting(this.#changes)
    const last = withoutSpool({ name, found }, this.#place.format)
    const operations = [...lasting.map(operationOf), ...last]
    if (operations.length > 0) await this.#db.batch(operations, { sync: true })
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
    const isNew = operations.length > 0 || (await this.#lasting(all)).length > 0
    if (isNew || (this.#file === undefined && all.size > 0)) await this.#commit(all)
  }

  async #commit(all: ReadonlyMap<string, string | undefined>): Promise<void> {
    const lasting = await this.#lasting(all)
    const fleeting = this.#fleeting(all)
    // Of a batch that fails nobody knows whether it is there: nothing may be added to the spool before it.
    const file = this.#file
    this.#file = undefined
    this.#name = undefined
    const name = randomUUID()
    try {
      await this.#db.batch([...lasting.map(operationOf), mark(name)], { sync: true })
    } catch (error) {
      await file?.close()
      throw error
    }
    this.#changes = new Map(fleeting)
    this.#name = name
    await this.#begin(file, name, fleeting)
  }

  #onCard(keys: readonly string[]): Promise<readonly (string | undefined)[]> {
    return readState(this.#place.folder, () => this.#db.getMany([...keys]))
  }

  /** For the card. What came and went between two flushes never gets there. */
  async #lasting(all: ReadonlyMap<string, string | undefined>): Promise<readonly Change[]> {
    const changes = [...all].filter(([key]) => !this.#isFleeting(key))
    const deleted = changes.flatMap(([key, value]) => (value === undefined ? [key] : []))
    const there = await this.#thereOf(deleted)
    return changes.filter(([key, value]) => value !== undefined || there.has(key))
  }

  /**
   * Those of them that the card has. By one walk where little lies between them: a hundred looks for keys at two tables
   * make LevelDB merge these, which writes more to the card than a flush.
   */
  async #thereOf(keys: readonly string[]): Promise<ReadonlySet<string>> {
    const [first, last] = ends(keys)
    if (first === undefined || last === undefined) return new Set()
    const range = { gte: first, lte: last, limit: longestWalk }
    const walked = await readState(this.#place.folder, () => this.#db.keys(range).all())
    if (walked.length < longestWalk) {
      const there = new Set(walked)
      return new Set(keys.filter((key) => there.has(Buffer.from(key).toString())))
    }
    const found = await this.#onCard(keys)
    return new Set(keys.filter((_, index) => found[index] !== undefined))
  }

  /** What the card has now is the spool's no more. */
  async #begin(
    file: FileHandle | undefined,
    name: string,
    fleeting: readonly Change[],
  ): Promise<void> {
    try {
      this.#file = file ?? (await open(this.#place.spool, 'a', 0o600))
      const begin = beginOfSpool(name, fleeting.map(operationOf))
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

  get #shorter(): string {
    return `${this.#place.spool}.new`
  }

  /** The same without what came and went. Whoever is killed here leaves the old file or the new one. */
  async #shorten(name: string, lasting: readonly Change[]): Promise<void> {
    const left = [...lasting, ...this.#fleeting(this.#changes)]
    const content = beginOfSpool(name, left.map(operationOf))
    let file: FileHandle | undefined
    try {
      await rm(this.#shorter, { force: true })
      file = await open(this.#shorter, 'a', 0o600)
      await file.appendFile(content)
      await rename(this.#shorter, this.#place.spool)
    } catch {
      // The long one goes on.
      await file?.close().catch(() => undefined)
      return
    }
    await this.#giveUp()
    this.#file = file
    this.#length = content.length
    this.#changes = new Map(left)
  }

  #fleeting(all: ReadonlyMap<string, string | undefined>): readonly Change[] {
    return [...all].filter(([key, value]) => this.#isFleeting(key) && value !== undefined)
  }

  #isFleeting(key: string): boolean {
    const { fleeting } = this.#place
    return fleeting !== undefined && key.startsWith(fleeting)
  }
}

/** In keys, a few hundredths of a second on a Pi. */
const longestWalk = 2048

/** The first and the last one in the card's order, which is that of their bytes. */
function ends(keys: readonly string[]): readonly string[] {
  const sorted = keys.map((key) => Buffer.from(key)).sort(Buffer.compare)
  return [sorted[0], sorted.at(-1)].flatMap((key) => (key ? [key.toString()] : []))
}

function mark(name: string): StateOperation {
  return { type: 'put', key: spoolMark, value: name }
}

function operationOf([key, value]: Change): StateOperation {
  return value === undefined ? { type: 'del', key } : { type: 'put', key, value }
}
