// The receiver's state on disk: balance proofs and how far the chain was read. LevelDB; every write
// that somebody relies on is synced before anybody is answered.

import type { JournalEntry, TransactionJournal } from '../../platform/chain/index.ts'
import { type GroupCommit, groupCommit } from '../../platform/state/group-commit.ts'
import {
  keysUnder,
  noteMoved,
  openState,
  readState,
  type StateDatabase,
  type StateOwner,
} from '../../platform/state/state.ts'
import {
  type Address,
  type ChainBlock,
  type ContractBlock,
  formatCommitment,
  parseBlockNumber,
  parseCommitment,
} from '../../protocol/index.ts'
import {
  decodeForgotten,
  encodeForgotten,
  type Forgetting,
  type Forgotten,
  nothingForgotten,
} from './forgetting.ts'
import { takeOnFormat4 } from './format-4.ts'
import type { FactsByName, History, PastBlock, SyncPosition } from './history.ts'
import {
  commitmentOf,
  decodeLedger,
  decodeRequestKey,
  encodeLedger,
  encodeRequestKey,
  type LedgerBeside,
} from './ledger-record.ts'
import {
  type ChainFacts,
  type ChannelName,
  decodeFacts,
  decodeUnanswered,
  encodeFacts,
  encodeUnanswered,
  type PaymentLedger,
  type Unanswered,
  type UnansweredChange,
} from './records.ts'

/** What the store held when it was opened. */
export interface LoadedState {
  readonly facts: ReadonlyMap<ChannelName, ChainFacts>
  readonly ledgers: ReadonlyMap<ChannelName, PaymentLedger>
  readonly position: SyncPosition | undefined
  readonly history: History
  readonly fence: Fence | undefined
  readonly forgotten: Forgotten
}

/**
 * What is known of channels may be less than was once on disk: of those opened in this block or before nobody
 * can say whether they were bound. `next`: the newest block at the next start.
 */
export type Fence = ContractBlock | 'next'

/** What one step along the chain changes; durable together. */
export interface ChainStep {
  /** A channel without facts is forgotten. */
  readonly facts: FactsByName
  readonly position: SyncPosition
  readonly added: History
  /** Blocks of the history that are not needed any more. */
  readonly dropped: readonly ChainBlock[]
  /** With all that there is of them, and the sums that stay. */
  readonly forgetting: Forgetting | undefined
}

export interface Reply {
  readonly status: number
  readonly headers: { readonly [name: string]: string | readonly string[] }
  readonly body: Uint8Array
}

/** What of a request's content had come when it was answered. */
export interface SeenContent {
  readonly bytes: number
  /** SHA-256 in base64url. */
  readonly digest: string
  /** Nothing came after it. */
  readonly whole: boolean
}

/** Names one payment for one request under one key; another proof or request has another id. */
export type ReplyId = string

export interface KeptReply extends Reply {
  /** Of the request; `none` for one without, undefined where that was not written down yet. */
  readonly content?: SeenContent | 'none' | undefined
  /** Unix time in milliseconds. */
  readonly expires: number
}

/** Where small replies survive a restart. */
export interface ReplyDisk {
  readonly load: () => Promise<ReadonlyMap<ReplyId, KeptReply>>
  /** Resolves when durable. */
  readonly save: (id: ReplyId, reply: KeptReply) => Promise<void>
  readonly remove: (ids: readonly ReplyId[]) => Promise<void>
  /** Requests that had paid and were not answered when the process ended. */
  readonly unanswered: () => Promise<ReadonlyMap<ReplyId, Unanswered>>
  /** Saving a reply does this too. */
  readonly answered: (ids: readonly ReplyId[]) => Promise<void>
}

/** What was sent for a sender without ether on one day. */
export interface Allowance {
  /** Days since 1970, UTC. */
  readonly day: number
  readonly count: number
  readonly gas: bigint
}

export interface AllowanceDisk {
  readonly load: () => Promise<ReadonlyMap<Address, Allowance>>
  /** Undefined forgets. Resolves when durable. */
  readonly save: (changes: ReadonlyMap<Address, Allowance | undefined>) => Promise<void>
}

/** Of payments that are no channel's: one record a name, whose content is its owner's. */
export interface RecordDisk {
  readonly load: () => Promise<ReadonlyMap<string, string>>
  /** Undefined forgets. Resolves when durable. */
  readonly save: (changes: ReadonlyMap<string, string | undefined>) => Promise<void>
}

export interface GasPriceDisk {
  readonly load: () => Promise<ReadonlyMap<number, bigint>>
  /** All of them. Resolves when durable. */
  readonly save: (prices: ReadonlyMap<number, bigint>) => Promise<void>
}

/** In which block the contract was deployed. */
export interface FirstBlockDisk {
  /** Undefined where it was never found. */
  readonly load: () => Promise<ChainBlock | undefined>
  /** Resolves when durable. */
  readonly save: (block: ChainBlock) => Promise<void>
}

export interface ChannelStore {
  readonly load: () => Promise<LoadedState>
  /** Resolves when the ledger, or a newer one of the same channel, is durable, with what is to be answered. */
  readonly saveLedger: (
    name: ChannelName,
    ledger: PaymentLedger,
    unanswered?: UnansweredChange,
  ) => Promise<void>
  /** All ledgers that are durable at one moment, while others are written. */
  readonly readLedgers: () => Promise<ReadonlyMap<ChannelName, PaymentLedger>>
  /** All of them become durable at once, or none; with a fence where one is named. */
  readonly saveLedgers: (
    ledgers: ReadonlyMap<ChannelName, PaymentLedger>,
    fence?: Fence,
  ) => Promise<void>
  readonly saveFence: (fence: Fence) => Promise<void>
  readonly dropLedger: (name: ChannelName) => Promise<void>
  readonly saveStep: (step: ChainStep) => Promise<void>
  /** Forgets all facts, for the chain to be read again from `position`. Ledgers stay. */
  readonly dropFacts: (position: SyncPosition) => Promise<void>
  /** Of the transactions that this account has signed. */
  readonly journal: TransactionJournal
  readonly replies: ReplyDisk
  /** Of the relay: a restart does not begin the day anew. */
  readonly allowances: AllowanceDisk
  /** Authorizations of x402 that were sent or settled. */
  readonly authorizations: RecordDisk
  /** The highest price of gas in each hour since 1970, in wei. */
  readonly gasPrices: GasPriceDisk
  readonly firstBlock: FirstBlockDisk
  /** Writes and syncs as a payment does. Rejects when the disk takes no more. */
  readonly probe: () => Promise<void>
  readonly close: () => Promise<void>
}

/** In a folder, of one process alone. */
export interface FolderStore extends ChannelStore {
  /** Transactions that are under way, by their operation. */
  readonly transactions: () => Promise<ReadonlyMap<string, JournalEntry>>
  /** Nobody opens it any more: what is in it is kept elsewhere from now on. */
  readonly moved: () => Promise<void>
}

const positionKey = 'position'
const fenceKey = 'fence'
const forgottenKey = 'forgotten'
const gasPricesKey = 'gas-prices'
const firstBlockKey = 'first-block'
const factsPrefix = 'facts/'
const ledgerPrefix = 'paid/'
const commitmentPrefix = 'ticks/'
const requestKeyPrefix = 'key/'
const replyPrefix = 'reply/'
const unansweredPrefix = 'unanswered/'
const pastPrefix = 'past/'
const journalPrefix = 'journal/'
const allowancePrefix = 'allowance/'
const authorizationPrefix = 'x402/'

/**
 * Format 2 did not know what was withdrawn, nor how a channel ends: the chain is read again. Format 3 did not know
 * ticks, and misread what they prove as nothing. Format 4 had ledgers as text, with their answers beside them.
 */
const upgrades = {
  2: (db: StateDatabase) => dropChain(db, []),
  3: async () => undefined,
  4: (db: StateDatabase) =>
    takeOnFormat4(db, { ledger: ledgerPrefix, requestKey: requestKeyPrefix }),
}
const probeKey = 'probe'

/** Told of every synced write. */
export type WaitObserver = (seconds: number) => void

export type CommitObserver = (records: number, seconds: number, outcome: 'ok' | 'failed') => void

export interface StoreOptions {
  readonly onCommit?: CommitObserver | undefined
  /** Who keeps it; one does not open the other's. Default `receiver`. */
  readonly program?: 'receiver' | 'watchtower'
}

/** @throws UraidenError those of `openState` */
export async function openStore(
  folder: string,
  owner: StateOwner,
  { onCommit, program = 'receiver' }: StoreOptions = {},
): Promise<FolderStore> {
  const db = await openState({ folder, owner, program, format: 5, upgrades })
  const write: Write = (entries) =>
    db.batch<string, string | Uint8Array>([...entries].map(operation), { sync: true })
  const commits = groupCommit<Written>({
    writeBatch: onCommit === undefined ? write : observed(write, onCommit),
  })
  const read = <Value>(work: () => Promise<Value>) => readState(folder, work)
  const besides = besidesOn(commits)
  return {
    load: () =>
      read(async () => {
        const ledgers = await readLedgers(db)
        besides.found(ledgers)
        return {
          ledgers,
          facts: await readAll<ChannelName, ChainFacts>(db, factsPrefix, decodeFacts),
          position: parsePosition(await db.get(positionKey)),
          fence: parseFence(await db.get(fenceKey)),
          forgotten: parseForgotten(await db.get(forgottenKey)),
          history: (await db.values(keysUnder(pastPrefix)).all()).map(decodePast),
        }
      }),
    saveLedger: (name, ledger, unanswered) =>
      besides.save([[name, ledger]], unanswered === undefined ? [] : [unansweredEntry(unanswered)]),
    readLedgers: () => read(() => readLedgers(db)),
    saveLedgers: (ledgers, fence) =>
      besides.save(ledgers, fence === undefined ? [] : [fenceEntry(fence)]),
    saveFence: (fence) => commits.save([fenceEntry(fence)]),
    dropLedger: (name) => {
      besides.gone([name])
      return commits.save(ledgerKeys(name).map((key) => [key, undefined]))
    },
    saveStep: (step) => {
      besides.gone(step.forgetting?.names ?? [])
      return commits.save(stepEntries(step))
    },
    dropFacts: async (position) => {
      await commits.idle()
      await read(() =>
        dropChain(db, [{ type: 'put', key: positionKey, value: JSON.stringify(position) }]),
      )
    },
    journal: journalOn(db, commits, read),
    replies: repliesOn(db, commits, read),
    allowances: allowancesOn(db, commits, read),
    authorizations: recordsOn(db, commits, { read, prefix: authorizationPrefix }),
    gasPrices: gasPricesOn(db, commits, read),
    firstBlock: firstBlockOn(db, commits, read),
    probe: () => commits.save([[probeKey, undefined]]),
    transactions: () =>
      read(() => readAll(db, journalPrefix, (text): JournalEntry => JSON.parse(text))),
    moved: async () => {
      await commits.idle()
      await noteMoved(db)
    },
    close: async () => {
      await commits.idle()
      await db.close()
    },
  }
}

/** Undefined: it goes. */
type Written = string | Uint8Array | undefined
type Commits = GroupCommit<Written>
type Entry = readonly [key: string, value: Written]

/** Ledgers with what stands beside them, which is written once. */
interface Besides {
  /** On disk. */
  readonly found: (ledgers: ReadonlyMap<ChannelName, PaymentLedger>) => void
  readonly gone: (names: readonly ChannelName[]) => void
  /** All at once, with the other entries. */
  readonly save: (
    ledgers: Iterable<readonly [ChannelName, PaymentLedger]>,
    others: readonly Entry[],
  ) => Promise<void>
}

function besideOf(ledger: PaymentLedger): LedgerBeside {
  return { commitment: commitmentOf(ledger), requestKey: ledger.requestKey }
}

function besidesOn(commits: Commits): Besides {
  /** What is known to be durable: until then it is written with each ledger that needs it. */
  const durable = new Map<ChannelName, LedgerBeside>()
  const note = (name: ChannelName, beside: LedgerBeside) => {
    const { commitment, requestKey } = beside
    if (commitment === undefined && requestKey === undefined) durable.delete(name)
    else durable.set(name, beside)
  }
  return {
    found: (ledgers) => {
      for (const [name, ledger] of ledgers) note(name, besideOf(ledger))
    },
    gone: (names) => {
      for (const name of names) durable.delete(name)
    },
    save: async (ledgers, others) => {
      const entries = [...others]
      const fresh: (readonly [ChannelName, LedgerBeside])[] = []
      for (const [name, ledger] of ledgers) {
        entries.push([`${ledgerPrefix}${name}`, encodeLedger(ledger)])
        const beside = besideOf(ledger)
        const changed = besideEntries(name, beside, durable.get(name))
        if (changed.length > 0) fresh.push([name, beside])
        entries.push(...changed)
      }
      await commits.save(entries)
      for (const [name, beside] of fresh) note(name, beside)
    },
  }
}

function besideEntries(
  name: ChannelName,
  { commitment, requestKey }: LedgerBeside,
  durable: LedgerBeside = {},
): readonly Entry[] {
  const entries: Entry[] = []
  if (commitment !== durable.commitment) {
    entries.push([`${commitmentPrefix}${name}`, commitment && formatCommitment(commitment)])
  }
  if (requestKey !== durable.requestKey) {
    entries.push([`${requestKeyPrefix}${name}`, requestKey && encodeRequestKey(requestKey)])
  }
  return entries
}

/** With all that stands beside it. */
function ledgerKeys(name: ChannelName): readonly string[] {
  return [ledgerPrefix, commitmentPrefix, requestKeyPrefix].map((each) => `${each}${name}`)
}

function stepEntries(step: ChainStep): readonly Entry[] {
  const { facts, position, added, dropped, forgetting } = step
  return [
    ...[...facts].map(
      ([name, each]) => [`${factsPrefix}${name}`, each && encodeFacts(each)] as const,
    ),
    ...added.map((past) => [pastKey(past.block), encodePast(past)] as const),
    ...dropped.map((block) => [pastKey(block), undefined] as const),
    ...(forgetting === undefined ? [] : forgettingEntries(forgetting)),
    [positionKey, JSON.stringify(position)],
  ]
}

/** As they are at one moment, while others are written. */
async function readLedgers(db: StateDatabase): Promise<ReadonlyMap<ChannelName, PaymentLedger>> {
  const snapshot = db.snapshot()
  const read = <Value>(prefix: string, decode: (text: string) => Value) =>
    readAll<ChannelName, Value>(db, prefix, decode, snapshot)
  try {
    const commitments = await read(commitmentPrefix, parseCommitment)
    const requestKeys = await read(requestKeyPrefix, decodeRequestKey)
    const found = new Map<ChannelName, PaymentLedger>()
    const range = { ...keysUnder(ledgerPrefix), snapshot, valueEncoding: 'view' as const }
    const iterator = db.iterator<string, Uint8Array>(range)
    try {
      for (;;) {
        const some = await iterator.nextv(atOnce)
        if (some.length === 0) return found
        for (const [key, record] of some) {
          const name = key.slice(ledgerPrefix.length) as ChannelName
          const beside = { commitment: commitments.get(name), requestKey: requestKeys.get(name) }
          found.set(name, decodeLedger(record, beside))
        }
      }
    } finally {
      await iterator.close()
    }
  } finally {
    await snapshot.close()
  }
}

/** As `readState`. */
type Read = <Value>(work: () => Promise<Value>) => Promise<Value>

function journalOn(db: StateDatabase, commits: Commits, read: Read): TransactionJournal {
  return {
    put: (name, entry) => commits.save([[`${journalPrefix}${name}`, JSON.stringify(entry)]]),
    get: (name) => read(async () => parseEntry(await db.get(`${journalPrefix}${name}`))),
    delete: (name) => commits.save([[`${journalPrefix}${name}`, undefined]]),
  }
}

function allowancesOn(db: StateDatabase, commits: Commits, read: Read): AllowanceDisk {
  return {
    load: () => read(() => readAll(db, allowancePrefix, decodeAllowance)),
    save: (changes) =>
      commits.save(
        [...changes].map(([sender, each]) => {
          const text = each && JSON.stringify([each.day, each.count, `${each.gas}`])
          return [`${allowancePrefix}${sender}`, text] as const
        }),
      ),
  }
}

function recordsOn(
  db: StateDatabase,
  commits: Commits,
  { read, prefix }: { readonly read: Read; readonly prefix: string },
): RecordDisk {
  return {
    load: () => read(() => readAll(db, prefix, (text) => text)),
    save: (changes) =>
      commits.save([...changes].map(([name, text]) => [`${prefix}${name}`, text] as const)),
  }
}

function gasPricesOn(db: StateDatabase, commits: Commits, read: Read): GasPriceDisk {
  return {
    load: () =>
      read(async () => {
        const hours: readonly [number, string][] = JSON.parse((await db.get(gasPricesKey)) ?? '[]')
        return new Map(hours.map(([hour, price]) => [hour, BigInt(price)]))
      }),
    save: (prices) => {
      const hours = [...prices].map(([hour, price]) => [hour, `${price}`])
      return commits.save([[gasPricesKey, JSON.stringify(hours)]])
    },
  }
}

function firstBlockOn(db: StateDatabase, commits: Commits, read: Read): FirstBlockDisk {
  return {
    load: () =>
      read(async () => {
        const text = await db.get(firstBlockKey)
        return text === undefined ? undefined : parseBlockNumber(text)
      }),
    save: (block) => commits.save([[firstBlockKey, `${block}`]]),
  }
}

function decodeAllowance(text: string): Allowance {
  const [day, count, gas] = JSON.parse(text)
  return { day, count, gas: BigInt(gas) }
}

function repliesOn(db: StateDatabase, commits: Commits, read: Read): ReplyDisk {
  return {
    load: () => read(() => readAll(db, replyPrefix, decodeReply)),
    save: (id, reply) =>
      commits.save([[`${replyPrefix}${id}`, encodeReply(reply)], unansweredEntry([id, undefined])]),
    remove: (ids) => commits.save(ids.map((id) => [`${replyPrefix}${id}`, undefined] as const)),
    unanswered: () => read(() => readAll(db, unansweredPrefix, decodeUnanswered)),
    answered: (ids) => commits.save(ids.map((id) => unansweredEntry([id, undefined]))),
  }
}

type Write = (entries: ReadonlyMap<string, Written>) => Promise<void>

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

/** All that the chain has said, in one write. */
async function dropChain(
  db: StateDatabase,
  more: readonly { readonly type: 'put'; readonly key: string; readonly value: string }[],
): Promise<void> {
  const keys = [factsPrefix, pastPrefix].map((prefix) => db.keys(keysUnder(prefix)).all())
  const all = [positionKey, ...(await Promise.all(keys)).flat()]
  await db.batch([...all.map((key) => ({ type: 'del' as const, key })), ...more], { sync: true })
}

/** Padded, so that the order of keys is the order of the chain. */
function pastKey(block: ChainBlock): string {
  return `${pastPrefix}${`${block}`.padStart(10, '0')}`
}

function encodePast({ block, hash, before }: PastBlock): string {
  const facts = [...before].map(([name, each]) => [name, each && encodeFacts(each)])
  return JSON.stringify({ block, hash, ...(facts.length > 0 && { before: facts }) })
}

function decodePast(text: string): PastBlock {
  const {
    block,
    hash,
    before = [],
  } = JSON.parse(text) as SyncPosition & {
    readonly before?: readonly (readonly [ChannelName, string | null])[]
  }
  const facts = before.map(([name, each]) => [name, each ? decodeFacts(each) : undefined] as const)
  return { block, hash, before: new Map(facts) }
}

function unansweredEntry([id, unanswered]: UnansweredChange) {
  return [`${unansweredPrefix}${id}`, unanswered && encodeUnanswered(unanswered)] as const
}

function parseEntry(text: string | undefined): JournalEntry | undefined {
  return text === undefined ? undefined : JSON.parse(text)
}

/** A key without a value is removed. */
function operation([key, value]: Entry) {
  if (value === undefined) return { type: 'del', key } as const
  return typeof value === 'string'
    ? ({ type: 'put', key, value } as const)
    : ({ type: 'put', key, value, valueEncoding: 'view' } as const)
}

/** Many at once: a promise for each record costs a start as much as its decoding. */
const atOnce = 1000

/** LevelDB reads from a snapshot: what is written meanwhile is not seen. */
async function readAll<Name extends string, Value>(
  db: StateDatabase,
  prefix: string,
  decode: (text: string) => Value,
  snapshot?: ReturnType<StateDatabase['snapshot']>,
): Promise<ReadonlyMap<Name, Value>> {
  const found = new Map<Name, Value>()
  const iterator = db.iterator({ ...keysUnder(prefix), ...(snapshot && { snapshot }) })
  try {
    for (;;) {
      const some = await iterator.nextv(atOnce)
      if (some.length === 0) return found
      for (const [key, text] of some) found.set(key.slice(prefix.length) as Name, decode(text))
    }
  } finally {
    await iterator.close()
  }
}

function encodeReply(reply: KeptReply): string {
  return JSON.stringify({ ...reply, body: Buffer.from(reply.body).toString('base64') })
}

function decodeReply(text: string): KeptReply {
  const { body, ...rest } = JSON.parse(text)
  return { ...rest, body: Buffer.from(body, 'base64') }
}

function fenceEntry(fence: Fence) {
  return [fenceKey, `${fence}`] as const
}

function parseFence(text: string | undefined): Fence | undefined {
  return text === undefined || text === 'next' ? text : parseBlockNumber(text)
}

function parseForgotten(text: string | undefined): Forgotten {
  return text === undefined ? nothingForgotten : decodeForgotten(text)
}

function forgettingEntries({ names, after }: Forgetting): readonly Entry[] {
  return [
    [forgottenKey, encodeForgotten(after)],
    ...names
      .flatMap((name) => [`${factsPrefix}${name}`, ...ledgerKeys(name)])
      .map((key): Entry => [key, undefined]),
  ]
}

function parsePosition(text: string | undefined): SyncPosition | undefined {
  return text === undefined ? undefined : JSON.parse(text)
}
