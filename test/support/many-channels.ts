// A receiver's book with as many channels as one likes, for tests of what lists them.
import { parseAddress } from '../../protocol/index.ts'
import type { Channel } from '../../receiver/channels/records.ts'
import type { Receiver } from '../../receiver/index.ts'

/** Every fourth is open; each later one owes more. */
export function manyChannels(count: number): readonly Channel[] {
  return Array.from({ length: count }, (_, at) => ({
    sender: parseAddress(`0x${(at + 1).toString(16).padStart(40, '0')}`),
    openBlock: at,
    deposit: 10n ** 18n,
    withdrawn: 0n,
    state: at % 4 === 0 ? 'open' : 'closing',
    claims: { highest: BigInt(at) * 10n ** 12n, unclaimed: [] },
    agreedToClose: false,
  }))
}

export function withChannels(receiver: Receiver, channels: () => Iterable<Channel>): Receiver {
  return { ...receiver, book: { ...receiver.book, all: channels } }
}
