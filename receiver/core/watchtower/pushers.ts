// The receiver's side of its watchtowers: a book whose proofs are copied to all of them.
import type { ChannelBook } from '../../channels/book.ts'
import type { SettlementLog } from '../../settlement/answers.ts'
import type { ProofOwner } from './messages.ts'
import { type Pusher, type PusherStatus, startPusher, type WatchtowerAddress } from './pusher.ts'

export interface Pushers {
  /** The same book; what is put into it goes to the watchtowers too. */
  readonly book: ChannelBook
  readonly statuses: () => readonly PusherStatus[]
  readonly stop: () => Promise<void>
}

export function startPushers(
  book: ChannelBook,
  watchtowers: readonly WatchtowerAddress[],
  owner: ProofOwner,
  log: SettlementLog | undefined,
): Pushers {
  const pushers = watchtowers.map(
    (address): Pusher => startPusher({ ...address, book, owner, log }),
  )
  const copied: ChannelBook = {
    ...book,
    putLedger: (sender, openBlock, ledger, change) => {
      const written = book.putLedger(sender, openBlock, ledger, change)
      for (const { changed } of pushers) changed(sender, openBlock)
      return written
    },
  }
  return {
    book: pushers.length === 0 ? book : copied,
    statuses: () => pushers.map(({ status }) => status()),
    stop: async () => {
      await Promise.all(pushers.map(({ stop }) => stop()))
    },
  }
}
