// The entries of one sink on the disk, and in memory which they are: delivered and not settled, being
// delivered, waiting. Only the order and the sizes are in memory.
import { decodeEntry } from './entry.ts'
import { type OutboxStorage, openPrefix, queuePrefix, type StorageOperation } from './storage.ts'

export interface BacklogOptions {
  readonly id: string
  readonly storage: OutboxStorage
}

export interface BacklogCount {
  readonly waiting: number
  readonly waitingBytes: number
  readonly dropped: number
  readonly refused: number
}

/** A record that is to be written, or is not written because there is no room for it. */
export interface Addition {
  readonly operations: readonly StorageOperation[]
  /** To be called once that is written. */
  readonly written: () => void
  /** Or when it could not be. */
  readonly failed: () => void
}

export interface Room {
  readonly entries: number
  readonly bytes: number
}

export interface Backlog {
  readonly count: () => BacklogCount
  /** Without `room` there are no bounds. With it the oldest make way, never those being delivered. */
  readonly add: (record: string, room: Room | undefined) => Addition
  /** The oldest records, which are being delivered from here on. */
  readonly take: (most: number) => Promise<readonly string[]>
  readonly putBack: () => void
  /** Of those taken, the first `count` have arrived and the others wait again. */
  readonly delivered: (count: number) => void
  /** What is up to the entry with this id has arrived. Resolves with whether it is here. */
  readonly skipThrough: (id: string) => Promise<boolean>
  /**
   * So that a power cut brings back nothing that is delivered next: where the card has an entry, or a payment on
   * its way that may be one by now, it gets all of them, and `skipThrough` finds the last. Resolves with how many may be delivered before it is called again.
   * @throws UraidenError `state_unwritable`
   */
  readonly secure: () => Promise<number>
  readonly unsettled: () => number
  /** Removes the oldest `count` of those that have arrived. */
  readonly forget: (count: number) => Promise<void>
  /** Removes the oldest one that waits, and resolves with it. */
  readonly refuse: () => Promise<string | undefined>
}

interface Item {
  readonly key: string
  readonly size: number
  written: boolean
}

interface Counters {
  readonly dropped: number
  readonly refused: number
}

interface StoredBacklog {
  readonly storage: OutboxStorage
  /** Of the keys of its entries. */
  readonly prefix: string
  readonly countersKey: string
  /** The oldest first. */
  readonly waiting: Item[]
  readonly counters: Counters
}

/** So many entries at most can have arrived without our knowing; see `syncInterval`. */
const mostUndecided = 4096
const mostBytesTaken = 1 << 20
const readAtOnce = 64

const countersPrefix = 'sink/'

export async function openBacklog({ id, storage }: BacklogOptions): Promise<Backlog> {
  const prefix = `${queuePrefix}${encodeURIComponent(id)}/`
  const counters = `${countersPrefix}${encodeURIComponent(id)}`
  const waiting: Item[] = []
  for await (const [key, value] of storage.records(prefix)) {
    waiting.push({ key, size: value.length, written: true })
  }
  const [known] = await storage.getMany([counters])
  return new DiskBacklog({
    storage,
    prefix,
    countersKey: counters,
    waiting,
    counters: countersIn(known),
  })
}

/** They are for people: what a damaged disk has made of them is not worth an agent that does not start. */
function countersIn(text = '{}'): Counters {
  try {
    const { dropped, refused } = JSON.parse(text)
    return { dropped: Number(dropped ?? 0), refused: Number(refused ?? 0) }
  } catch {
    return { dropped: 0, refused: 0 }
  }
}

class DiskBacklog implements Backlog {
  readonly #storage: OutboxStorage
  readonly #prefix: string
  readonly #countersKey: string
  readonly #waiting: Item[]
  #unsettled: string[] = []
  /** How many of those waiting are being delivered. */
  #taken = 0
  #bytes: number
  #counters: Counters
  #next: number

  constructor({ storage, prefix, countersKey, waiting, counters }: StoredBacklog) {
    this.#storage = storage
    this.#prefix = prefix
    this.#countersKey = countersKey
    this.#waiting = waiting
    this.#bytes = waiting.reduce((sum, { size }) => sum + size, 0)
    this.#counters = counters
    this.#next = Number(waiting.at(-1)?.key.slice(prefix.length) ?? 0) + 1
  }

  count(): BacklogCount {
    return { waiting: this.#waiting.length, waitingBytes: this.#bytes, ...this.#counters }
  }

  add(record: string, room: Room | undefined): Addition {
    const dropped = room === undefined ? [] : this.#makeRoom(record.length, room)
    const lost = dropped.map(({ key }) => ({ type: 'del', key }) as const)
    if (room !== undefined && !this.#fits(record.length, room)) {
      const operations = [...lost, this.#countDropped(dropped.length + 1)]
      return { operations, written: ignore, failed: ignore }
    }
    const item = { key: this.#key(this.#next++), size: record.length, written: false }
    this.#waiting.push(item)
    this.#bytes += item.size
    const counted = dropped.length === 0 ? [] : [this.#countDropped(dropped.length)]
    return {
      operations: [...lost, ...counted, { type: 'put', key: item.key, value: record }],
      written: () => {
        item.written = true
      },
      failed: () => this.#remove(item),
    }
  }

  async take(most: number): Promise<readonly string[]> {
    const items: Item[] = []
    let bytes = 0
    for (const item of this.#waiting) {
      bytes += item.size
      const enough = items.length === most || (items.length > 0 && bytes > mostBytesTaken)
      if (!item.written || enough) break
      items.push(item)
    }
    this.#taken = items.length
    const records = await this.#storage.getMany(items.map(({ key }) => key))
    const gone = items.filter((_, index) => records[index] === undefined)
    if (gone.length === 0) return records as readonly string[]
    // Only a damaged database can lack what it had: what is not there is not waited for.
    this.#taken = 0
    for (const item of gone) this.#remove(item)
    return this.take(most)
  }

  putBack(): void {
    this.#taken = 0
  }

  delivered(count: number): void {
    const items = this.#waiting.splice(0, count)
    this.#taken = 0
    this.#bytes -= items.reduce((sum, { size }) => sum + size, 0)
    for (const { key } of items) this.#unsettled.push(key)
  }

  async skipThrough(id: string): Promise<boolean> {
    const undecided = this.#waiting.slice(0, mostUndecided)
    for (let from = 0; from < undecided.length; from += readAtOnce) {
      const keys = undecided.slice(from, from + readAtOnce).map(({ key }) => key)
      const records = await this.#storage.getMany(keys)
      const at = records.findIndex((each) => each !== undefined && decodeEntry(each).id === id)
      if (at < 0) continue
      this.delivered(from + at + 1)
      return true
    }
    return false
  }

  async secure(): Promise<number> {
    const secured = this.#waiting.filter(({ written }) => written).length
    for (const prefix of [this.#prefix, openPrefix]) {
      if (await this.#storage.isOnCard(prefix)) await this.#storage.flush()
    }
    return Math.min(secured, mostUndecided)
  }

  unsettled(): number {
    return this.#unsettled.length
  }

  async forget(count: number): Promise<void> {
    const keys = this.#unsettled.slice(0, count)
    await this.#storage.write(
      keys.map((key) => ({ type: 'del', key })),
      'lazily',
    )
    this.#unsettled.splice(0, count)
  }

  async refuse(): Promise<string | undefined> {
    this.#taken = 0
    const [item] = this.#waiting
    if (item === undefined) return undefined
    const [record] = await this.#storage.getMany([item.key])
    this.#remove(item)
    this.#counters = { ...this.#counters, refused: this.#counters.refused + 1 }
    await this.#storage.write([{ type: 'del', key: item.key }, this.#countersRecord()], 'soon')
    return record
  }

  #makeRoom(size: number, room: Room): readonly Item[] {
    // What is larger than the whole queue makes nobody leave.
    if (size > room.bytes) return []
    const dropped: Item[] = []
    while (!this.#fits(size, room) && this.#taken < this.#waiting.length) {
      const [oldest] = this.#waiting.splice(this.#taken, 1)
      if (oldest === undefined) break
      this.#bytes -= oldest.size
      dropped.push(oldest)
    }
    return dropped
  }

  #fits(size: number, { entries, bytes }: Room): boolean {
    return this.#waiting.length < entries && this.#bytes + size <= bytes
  }

  #countDropped(count: number): StorageOperation {
    this.#counters = { ...this.#counters, dropped: this.#counters.dropped + count }
    return this.#countersRecord()
  }

  #countersRecord(): StorageOperation {
    return { type: 'put', key: this.#countersKey, value: JSON.stringify(this.#counters) }
  }

  #remove(item: Item): void {
    const at = this.#waiting.indexOf(item)
    if (at < 0) return
    this.#waiting.splice(at, 1)
    this.#bytes -= item.size
  }

  #key(sequence: number): string {
    return `${this.#prefix}${sequence.toString().padStart(16, '0')}`
  }
}

function ignore(): void {}
