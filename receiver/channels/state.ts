// Where a receiver keeps what it must not forget: in a folder of its own, or in a database that it shares with others.
import type { TransactionJournal } from '../../platform/chain/index.ts'
import type { StateOwner } from '../../platform/state/state.ts'
import type { NumberedKey } from '../../protocol/bound/index.ts'
import type { Address, ChainBlock, ContractBlock, UraidenError } from '../../protocol/index.ts'
import { type BookOptions, type ChannelBook, type ChannelId, openBook } from './book.ts'
import { bookLedgers } from './book-ledgers.ts'
import type { Ledgers } from './ledgers.ts'
import { type ChannelStore, type CommitObserver, openStore, type WaitObserver } from './store.ts'

export interface ReceiverState
  extends Pick<
    ChannelStore,
    'replies' | 'allowances' | 'gasPrices' | 'firstBlock' | 'readLedgers' | 'probe'
  > {
  readonly book: ChannelBook
  readonly ledgers: Ledgers
  readonly journal: (account: Address) => AccountJournal
  /** Undefined: it keeps no payments of x402. */
  readonly authorizations: ChannelStore['authorizations'] | undefined
  /** Of a channel, as it is now; undefined where the book knows all. */
  readonly askKey: ((channel: ChannelId) => Promise<NumberedKey | undefined>) | undefined
  /** The same as it was seen last, which costs nothing. */
  readonly seenKey: ((channel: ChannelId) => NumberedKey | undefined) | undefined
  /** Undefined: nobody else has it. */
  readonly sharing: Sharing | undefined
}

export interface AccountJournal extends TransactionJournal {
  /** Operations under way that nobody asks for by name; undefined where there are none. */
  readonly unasked?: () => Promise<readonly string[]>
}

/** What the one that leads has seen of the chain. */
export interface SeenElsewhere {
  /** It goes well. */
  readonly answers: boolean
  /** Milliseconds since its last round that went well; Infinity before the first. */
  readonly age: number
  readonly head: ChainBlock | undefined
  readonly contractHead: ContractBlock | undefined
}

/** Plain data, as JSON has it. */
export type Plain =
  | string
  | number
  | boolean
  | null
  | readonly Plain[]
  | { readonly [name: string]: Plain }

/** By its kind. `operation` is a name of its own, the same when the next leader does it again. */
export type Errands = {
  readonly [kind: string]: (asked: Plain, operation: string) => Promise<Plain>
}

/** A state of several processes, of which one leads: it follows the chain, and sends transactions. */
export interface Sharing {
  /**
   * Before each look at the chain. Undefined: this process leads, and has taken over what the one before it knew.
   * Else it does not read the chain, and this was seen of it.
   */
  readonly seenElsewhere: () => Promise<SeenElsewhere | undefined>
  /** The chain was read: writes down how much each channel may pay, and takes what was paid until then. */
  readonly chainWasRead: () => Promise<void>
  /** What follows from it was done, too. */
  readonly roundWentWell: (seen: {
    readonly head: ChainBlock
    readonly contractHead: ContractBlock
  }) => Promise<void>
  /** What this process may still let all channels owe while nobody looks at the chain; undefined: anything. */
  readonly outage:
    | {
        /** Until it is said, somebody does. */
        readonly answersBy: (answers: () => boolean) => void
        readonly isSpent: () => boolean
      }
    | undefined
  readonly isLeading: () => boolean
  /** Called, and waited for, whenever this process begins to lead. */
  readonly onTerm: (begin: () => Promise<void>) => void
  /** Called when it has been elected, and has not begun yet. */
  readonly onElected: (elected: () => void) => void
  /** What it does for the others while it leads. */
  readonly serve: (errands: Errands) => void
  /** Has the leader do it. @throws UraidenError `leader_missing`, `leader_slow`, and what its work throws */
  readonly ask: (kind: string, asked: Plain) => Promise<Plain>
  /** Why nobody is served here: the database was not reached for too long. */
  readonly silence: () => UraidenError | undefined
}

export interface StateOptions extends BookOptions {
  readonly owner: StateOwner
  /** A folder of this process. */
  readonly folder: string
  readonly head: () => Promise<ContractBlock>
  readonly onCommit: CommitObserver | undefined
  readonly onWait: WaitObserver | undefined
  /** `stop` is to be called in the end, the last one first. */
  readonly started: (stop: () => Promise<void>) => void
}

/** @throws UraidenError those of `openStore` */
export async function openFolderState(options: StateOptions): Promise<ReceiverState> {
  const { folder, owner, head, onCommit, started } = options
  const store = await openStore(folder, owner, { onCommit })
  started(store.close)
  const book = await openBook(store, options)
  started(book.flush)
  await book.fence(head)
  return {
    ...store,
    book,
    ledgers: bookLedgers(book),
    journal: () => store.journal,
    askKey: undefined,
    seenKey: undefined,
    sharing: undefined,
  }
}
