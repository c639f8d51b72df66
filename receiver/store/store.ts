// The receiver's state on disk: balance proofs and how far the chain was read. LevelDB; every write
// that somebody relies on is synced before anybody is answered.
import {
  keysUnder,
  openState,
  type StateDatabase,
  type StateOwner,
} from '../../platform/state/state.ts'
import type { BlockNumber, Hex } from '../../protocol/index.ts'
import type { KeptReply, ReplyDisk } from '../paywall/replies.ts'
import { groupCommit } from './group-commit.ts'
import {
  type ChainFacts,
  type ChannelName,
  decodeFacts,
  decodeLedger,
  encodeFacts,
  encodeLedger,
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
  readonly replies: ReplyDisk
  /** Writes and syncs as a payment does. Rejects when the disk takes no more. */
  readonly probe: () => Promise<void>
  readonly close: () => Promise<void>
}

const positionKey = 'position'
const factsPrefix = 'facts/'
const ledgerPrefix = 'ledger/'
const replyPrefix = 'reply/'
const probeKey = 'probe'

/** Told of every synced write. */
export type CommitObserver = (records: number, seconds: number, outcome: 'ok' | 'failed') => void

/** @throws UraidenError those of `openState` */
export async function openStore(
  folder: string,
  owner: StateOwner,
  onCommit?: CommitObserver,
): Promise<ChannelStore> {
  const db = await openState({ folder, owner, program: 'receiver', format: 2 })
  const write: Write = (entries) => db.batch([...entries].map(operation), { sync: true })
  const commits = groupCommit<string | undefined>({
    writeBatch: onCommit === undefined ? write : observed(write, onCommit),
  })
  return {
    load: async () => ({
      facts: await readAll<ChannelName, ChainFacts>(db, factsPrefix, decodeFacts),
      ledgers: await readAll<ChannelName, PaymentLedger>(db, ledgerPrefix, decodeLedger),
      position: parsePosition(await db.get(positionKey)),
    }),
    saveLedger: (name, ledger) => commits.save([[`${ledgerPrefix}${name}`, encodeLedger(ledger)]]),
    saveFacts: (facts, position) =>
      commits.save([
        ...[...facts].map(([name, each]) => [`${factsPrefix}${name}`, encodeFacts(each)] as const),
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
    replies: {
      load: () => readAll(db, replyPrefix, decodeReply),
      save: (id, reply) => commits.save([[`${replyPrefix}${id}`, encodeReply(reply)]]),
      remove: (ids) => commits.save(ids.map((id) => [`${replyPrefix}${id}`, undefined] as const)),
    },
    probe: () => commits.save([[probeKey, undefined]]),
    close: async () => {
      await commits.idle()
      await db.close()
    },
  }
}

type Write = (entries: ReadonlyMap<string, string | undefined>) => Promise<void>

function observed(write: Write, onCommit: CommitObserver): Write {
  return async (entries) => {
    const begun = performance.now()
    const tell = (outcome: 'ok' | 'failed') =>
      onCommit(entries.size, (performance.now() - begun) / 1000, outcome)
    try {
      await write(entries)
    } catch (error) {
      tell('failed')
      throw error
    }
    tell('ok')
  }
}

/** A key without a value is removed. */
function operation([key, value]: readonly [string, string | undefined]) {
  return value === undefined
    ? ({ type: 'del', key } as const)
    : ({ type: 'put', key, value } as const)
}

async function readAll<Name extends string, Value>(
  db: StateDatabase,
  prefix: string,
  decode: (text: string) => Value,
): Promise<ReadonlyMap<Name, Value>> {
  const found = new Map<Name, Value>()
  for await (const [key, text] of db.iterator(keysUnder(prefix))) {
    found.set(key.slice(prefix.length) as Name, decode(text))
  }
  return found
}

function encodeReply(reply: KeptReply): string {
  return JSON.stringify({ ...reply, body: Buffer.from(reply.body).toString('base64') })
}

function decodeReply(text: string): KeptReply {
  const { status, headers, body, expires } = JSON.parse(text)
  return { status, headers, expires, body: Buffer.from(body, 'base64') }
}

function parsePosition(text: string | undefined): SyncPosition | undefined {
  return text === undefined ? undefined : JSON.parse(text)
}
