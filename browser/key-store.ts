// Where the keys of channels lie in a browser: IndexedDB, which unlike localStorage holds keys of WebCrypto
// without their bytes.
import type { KeptKeys, KeyStore } from './bound.ts'

/** As much of IndexedDB as is needed. */
interface Database {
  readonly transaction: (
    store: string,
    mode: 'readonly' | 'readwrite',
  ) => {
    readonly objectStore: (name: string) => {
      readonly get: (key: string) => Asked<unknown>
      readonly put: (value: unknown, key: string) => Asked<unknown>
      readonly delete: (key: string) => Asked<unknown>
    }
  }
  readonly createObjectStore: (name: string) => unknown
  readonly close: () => void
}

interface Asked<Result> {
  readonly result: Result
  readonly error: unknown
  onsuccess: (() => void) | null
  onerror: (() => void) | null
  onupgradeneeded?: (() => void) | null
}

interface Databases {
  readonly open: (name: string, version: number) => Asked<Database>
}

const table = 'keys'

/** For this page only, where there is nothing better. */
export function memoryKeyStore(): KeyStore {
  const kept = new Map<string, KeptKeys>()
  return {
    load: async (owner) => kept.get(owner),
    save: async (owner, keys) => {
      if (keys === undefined) kept.delete(owner)
      else kept.set(owner, keys)
    },
  }
}

const memory = memoryKeyStore()

/** IndexedDB, or memory where there is none or it takes nothing (private windows). */
export function defaultKeyStore(): KeyStore {
  const { indexedDB } = globalThis as { readonly indexedDB?: Databases }
  if (indexedDB === undefined) return memory
  const database = databaseKeyStore(indexedDB)
  return {
    load: async (owner) =>
      (await database.load(owner).catch(() => undefined)) ?? memory.load(owner),
    save: async (owner, keys) => {
      await memory.save(owner, keys)
      await database.save(owner, keys).catch(() => undefined)
    },
  }
}

function databaseKeyStore(databases: Databases): KeyStore {
  const within = async <Result>(
    mode: 'readonly' | 'readwrite',
    ask: (store: ReturnType<ReturnType<Database['transaction']>['objectStore']>) => Asked<Result>,
  ): Promise<Result> => {
    const database = await open(databases)
    try {
      return await done(ask(database.transaction(table, mode).objectStore(table)))
    } finally {
      database.close()
    }
  }
  return {
    load: async (owner) =>
      (await within('readonly', (store) => store.get(owner))) as KeptKeys | undefined,
    save: async (owner, keys) => {
      await within('readwrite', (store) =>
        keys === undefined ? store.delete(owner) : store.put(keys, owner),
      )
    },
  }
}

function open(databases: Databases): Promise<Database> {
  const asked = databases.open('uraiden', 1)
  asked.onupgradeneeded = () => void asked.result.createObjectStore(table)
  return done(asked)
}

function done<Result>(asked: Asked<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    asked.onsuccess = () => resolve(asked.result)
    asked.onerror = () => reject(asked.error)
  })
}
