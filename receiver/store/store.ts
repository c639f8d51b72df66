// The receiver's state on disk: balance proofs and how far the chain was read. LevelDB; every write
// that somebody relies on is synced before anybody is answered.
import { chmod, mkdir, stat } from 'node:fs/promises'
import { Level } from 'level'
import { type Address, type BlockNumber, type Hex, UraidenError } from '../../protocol/index.ts'
import { groupCommit } from './group-commit.ts'
import {
  type ChainFacts,
  type ChannelName,
  decodeFacts,
  decodeLedger,
  encodeRecord,
  type PaymentLedger,
} from './records.ts'

/** Whose state it is. A store never mixes two of these. */
export interface StoreOwner {
  readonly chainId: bigint
  readonly contract: Address
  readonly receiver: Address
}

/** Everything up to this block has been read and confirmed. */
export interface SyncPosition {
  readonly block: BlockNumber
  readonly hash: Hex
}

/** What the store held when it was opened. */
export interface LoadedState {
  readonly facts: ReadonlyMap<ChannelName, ChainFacts>
  readonly ledgers: ReadonlyMap<ChannelName, PaymentLedger>
  readonly position: SyncPosition | undefined
}

export interface ChannelStore {
  readonly load: () => Promise<LoadedState>
  /** Resolves when the ledger, or a newer one of the same channel, is durable. */
  readonly saveLedger: (name: ChannelName, ledger: PaymentLedger) => Promise<void>
  /** Facts and position become durable together. */
  readonly saveFacts: (
    facts: ReadonlyMap<ChannelName, ChainFacts>,
    position: SyncPosition,
  ) => Promise<void>
  /** Forgets all facts, for the chain to be read again from `position`. Ledgers stay. */
  readonly dropFacts: (position: SyncPosition) => Promise<void>
  readonly close: () => Promise<void>
}

const formatKey = 'format'
const ownerKey = 'owner'
const positionKey = 'position'
const factsPrefix = 'facts/'
const ledgerPrefix = 'ledger/'

/** Grows with every change that an older program would misread. */
const format = '1'

/**
 * Opens the store in a folder that only its owner may read, or makes it.
 * @throws UraidenError `state_in_use`, `state_readable_by_others`, `state_of_another`,
 * `state_format_unknown`, `state_unusable`
 */
export async function openStore(folder: string, owner: StoreOwner): Promise<ChannelStore> {
  await preparePrivateFolder(folder)
  const db = new Level<string, string>(folder, { keyEncoding: 'utf8', valueEncoding: 'utf8' })
  await openDatabase(db, folder)
  try {
    await checkOwner(db, folder, owner)
  } catch (error) {
    await db.close()
    throw error
  }
  const commits = groupCommit<string>({
    writeBatch: (entries) =>
      db.batch(
        [...entries].map(([key, value]) => ({ type: 'put' as const, key, value })),
        { sync: true },
      ),
  })
  return {
    load: async () => ({
      facts: await readAll(db, factsPrefix, decodeFacts),
      ledgers: await readAll(db, ledgerPrefix, decodeLedger),
      position: parsePosition(await db.get(positionKey)),
    }),
    saveLedger: (name, ledger) => commits.save([[`${ledgerPrefix}${name}`, encodeRecord(ledger)]]),
    saveFacts: (facts, position) =>
      commits.save([
        ...[...facts].map(([name, each]) => [`${factsPrefix}${name}`, encodeRecord(each)] as const),
        [positionKey, JSON.stringify(position)],
      ]),
    dropFacts: async (position) => {
      await commits.idle()
      const keys = await db.keys(rangeOf(factsPrefix)).all()
      await db.batch(
        [
          ...keys.map((key) => ({ type: 'del' as const, key })),
          { type: 'put', key: positionKey, value: JSON.stringify(position) },
        ],
        { sync: true },
      )
    },
    close: async () => {
      await commits.idle()
      await db.close()
    },
  }
}

function rangeOf(prefix: string) {
  return { gte: prefix, lt: `${prefix}~` }
}

async function readAll<Value>(
  db: Level<string, string>,
  prefix: string,
  decode: (text: string) => Value,
): Promise<ReadonlyMap<ChannelName, Value>> {
  const found = new Map<ChannelName, Value>()
  for await (const [key, text] of db.iterator(rangeOf(prefix))) {
    found.set(key.slice(prefix.length) as ChannelName, decode(text))
  }
  return found
}

function parsePosition(text: string | undefined): SyncPosition | undefined {
  return text === undefined ? undefined : JSON.parse(text)
}

async function preparePrivateFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const { mode } = await stat(folder)
  if ((mode & 0o077) !== 0) {
    throw new UraidenError({
      code: 'state_readable_by_others',
      message: `Others can read the state folder ${folder} (mode ${(mode & 0o777).toString(8)}).`,
      hint: `It holds balance proofs. Run: chmod 700 ${folder}`,
    })
  }
  await chmod(folder, 0o700)
}

async function openDatabase(db: Level<string, string>, folder: string): Promise<void> {
  try {
    await db.open()
  } catch (error) {
    const { cause } = error as { readonly cause?: { readonly code?: string } }
    if (cause?.code === 'LEVEL_LOCKED') {
      throw new UraidenError({
        code: 'state_in_use',
        message: `Another process uses the state in ${folder}.`,
        hint: 'Stop the other receiver, or give this one a state folder of its own.',
        cause: error,
      })
    }
    throw new UraidenError({
      code: 'state_unusable',
      message: `The state in ${folder} cannot be opened.`,
      hint: 'Check the disk and the folder’s owner; restore the last backup if files are damaged.',
      cause: error,
    })
  }
}

async function checkOwner(
  db: Level<string, string>,
  folder: string,
  owner: StoreOwner,
): Promise<void> {
  const written = JSON.stringify({ ...owner, chainId: owner.chainId.toString() })
  const [foundFormat, found] = await db.getMany([formatKey, ownerKey])
  if (found === undefined) {
    await db.batch(
      [
        { type: 'put', key: formatKey, value: format },
        { type: 'put', key: ownerKey, value: written },
      ],
      { sync: true },
    )
    return
  }
  if (foundFormat !== format) {
    throw new UraidenError({
      code: 'state_format_unknown',
      message: `The state in ${folder} has format ${foundFormat}; this program knows ${format}.`,
      hint: 'Use the program version that wrote it, or a newer one.',
    })
  }
  if (found !== written) {
    throw new UraidenError({
      code: 'state_of_another',
      message: `The state in ${folder} belongs to ${found}, not to ${written}.`,
      hint: 'Use the chain, contract and key it was made with, or another state folder.',
    })
  }
}
