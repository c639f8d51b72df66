// The receiver's state on disk: balance proofs and how far the chain was read. LevelDB; every write
// that somebody relies on is synced before anybody is answered.
import {
  keysUnder,
  openState,
  type StateDatabase,
  type StateOwner,
} from '../../platform/state/state.ts'
import type { BlockNumber, Hex } from '../../protocol/index.ts'
import { groupCommit } from './group-commit.ts'
import {
  type ChainFacts,
  type ChannelName,
  decodeFacts,
  decodeLedger,
  encodeRecord,
  type PaymentLedger,
} from './records.ts'

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

const positionKey = 'position'
const factsPrefix = 'facts/'
const ledgerPrefix = 'ledger/'

/** @throws UraidenError those of `openState` */
export async function openStore(folder: string, owner: StateOwner): Promise<ChannelStore> {
  const db = await openState({ folder, owner, program: 'receiver', format: 1 })
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
      const keys = await db.keys(keysUnder(factsPrefix)).all()
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

async function readAll<Value>(
  db: StateDatabase,
  prefix: string,
  decode: (text: string) => Value,
): Promise<ReadonlyMap<ChannelName, Value>> {
  const found = new Map<ChannelName, Value>()
  for await (const [key, text] of db.iterator(keysUnder(prefix))) {
    found.set(key.slice(prefix.length) as ChannelName, decode(text))
  }
  return found
}

function parsePosition(text: string | undefined): SyncPosition | undefined {
  return text === undefined ? undefined : JSON.parse(text)
}
