// Small records beside the channels: what was intended on the chain, what was paid last, what was
// bought. All of them are kept in memory, so their writers bound their number.
import { encodeRecord } from './records.ts'

export interface Notes {
  /** As JSON: amounts come back as decimal strings. */
  readonly get: (key: string) => unknown
  readonly keysUnder: (prefix: string) => readonly string[]
  /** Durable with the ledger's next write, at the latest at a clean stop. Undefined deletes. */
  readonly later: (key: string, value: object | undefined) => void
  /** What changes with every payment is noted only when something is written anyway: `note` does it. */
  readonly beforeWrite: (note: () => void) => void
  /** Durable when it resolves. Undefined deletes. */
  readonly now: (key: string, value: object | undefined) => Promise<void>
  /** The same; but where the card is spared a power cut may take it back. */
  readonly soon: (key: string, value: object | undefined) => Promise<void>
}

/** The same notes, as whoever keeps its own under a prefix sees them. */
export function notesUnder(notes: Notes, prefix: string): Notes {
  return {
    get: (key) => notes.get(`${prefix}${key}`),
    keysUnder: (start) =>
      notes.keysUnder(`${prefix}${start}`).map((key) => key.slice(prefix.length)),
    later: (key, value) => notes.later(`${prefix}${key}`, value),
    beforeWrite: notes.beforeWrite,
    now: (key, value) => notes.now(`${prefix}${key}`, value),
    soon: (key, value) => notes.soon(`${prefix}${key}`, value),
  }
}

/** JSON texts by key; undefined where one was deleted. */
export type NoteChanges = ReadonlyMap<string, string | undefined>

/** The notes in memory, and which of them the disk does not have yet. */
export interface NoteBook {
  readonly get: Notes['get']
  readonly keysUnder: Notes['keysUnder']
  readonly set: Notes['later']
  readonly beforeWrite: Notes['beforeWrite']
  readonly hasChanges: () => boolean
  /** Takes the changes for a write; `putBack` when it failed. */
  readonly takeChanges: () => NoteChanges
  readonly putBack: (changes: NoteChanges) => void
}

export function createNoteBook(stored: ReadonlyMap<string, string>): NoteBook {
  const texts = new Map(stored)
  const noting: (() => void)[] = []
  let changed = new Set<string>()
  const noteAll = (): void => {
    for (const note of noting) note()
  }
  return {
    get: (key) => {
      const text = texts.get(key)
      return text === undefined ? undefined : JSON.parse(text)
    },
    keysUnder: (prefix) => [...texts.keys()].filter((key) => key.startsWith(prefix)),
    set: (key, value) => {
      const text = value === undefined ? undefined : encodeRecord(value)
      if (text === texts.get(key)) return
      if (text === undefined) texts.delete(key)
      else texts.set(key, text)
      changed.add(key)
    },
    beforeWrite: (note) => {
      noting.push(note)
    },
    hasChanges: () => {
      noteAll()
      return changed.size > 0
    },
    takeChanges: () => {
      noteAll()
      const changes = new Map([...changed].map((key) => [key, texts.get(key)]))
      changed = new Set()
      return changes
    },
    putBack: (changes) => {
      for (const key of changes.keys()) changed.add(key)
    },
  }
}
