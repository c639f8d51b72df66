// Enters in the ledger what a transaction has done, from its own events.
import type { ChannelEvent, Receipt } from '../../platform/chain/index.ts'
import type { Address, TokenAmount } from '../../protocol/index.ts'
import { openingScopes } from '../budget/caps.ts'
import type { ChannelBalance, Ledger } from './ledger-types.ts'
import { type ChannelName, channelName } from './records.ts'

export type ChannelChange =
  | { readonly kind: 'opened' | 'toppedUp'; readonly added: TokenAmount }
  | { readonly kind: 'closed' | 'closeRequested'; readonly balance: TokenAmount }
  | { readonly kind: 'settled' }

/** What happened, and the transaction with which it did. */
export type ChannelChangeListener = (
  channel: ChannelName,
  change: ChannelChange,
  receipt: Receipt,
) => void

/** `intent` is the note of what was to happen; it is deleted in the same write. */
export type Booking = (receipt: Receipt, intent: string) => Promise<void>

export interface BookingOptions {
  readonly ledger: Ledger
  readonly own: Address
  /** In blocks. */
  readonly challengePeriod: () => Promise<number>
  readonly onChange: ChannelChangeListener
}

export function createBooking({ ledger, own, challengePeriod, onChange }: BookingOptions): Booking {
  const known = ({ receiver, openBlock }: ChannelEvent['channel']): ChannelBalance | undefined =>
    ledger.channels(receiver).find((each) => each.openBlock === openBlock)

  async function write(
    event: ChannelEvent,
    channel: ChannelBalance | undefined,
    intent: string,
  ): Promise<ChannelChange | undefined> {
    const { receiver, openBlock } = event.channel
    const name = channelName(receiver, openBlock)
    if (event.kind === 'created') {
      if (channel !== undefined) return undefined
      ledger.spend(openingScopes(receiver), 1n)
      await ledger.add(newChannel(event), intent)
      return { kind: 'opened', added: event.deposit }
    }
    if (channel === undefined) return undefined
    switch (event.kind) {
      case 'toppedUp': {
        const { deposit, unseen = [] } = channel
        const raised = { before: deposit, block: event.contractBlock }
        const change = { deposit: deposit + event.added, unseen: [...unseen, raised] }
        await ledger.update(name, change, intent)
        return { kind: 'toppedUp', added: event.added }
      }
      case 'closeRequested': {
        const settleBlock = event.contractBlock + (await challengePeriod())
        await ledger.update(name, { state: 'closing', settleBlock }, intent)
        return { kind: 'closeRequested', balance: event.balance }
      }
      case 'settled':
        await ledger.end(name, event.balance, intent)
        return channel.state === 'closing'
          ? { kind: 'settled' }
          : { kind: 'closed', balance: event.balance }
      default:
        return undefined
    }
  }

  return async (receipt, intent) => {
    for (const event of receipt.events) {
      if (event.channel.sender !== own) continue
      const { receiver, openBlock } = event.channel
      const change = await write(event, known(event.channel), intent)
      if (change !== undefined) onChange(channelName(receiver, openBlock), change, receipt)
    }
    if (ledger.notes.get(intent) !== undefined) await ledger.notes.now(intent, undefined)
  }
}

function newChannel({
  channel,
  deposit,
  transaction,
}: Extract<ChannelEvent, { readonly kind: 'created' }>) {
  return {
    receiver: channel.receiver,
    openBlock: channel.openBlock,
    deposit,
    bound: 0n,
    signed: 0n,
    exact: true,
    free: [],
    // The receiver has to see the chain too.
    unseen: [{ before: 0n, block: channel.openBlock }],
    state: 'open',
    openTransaction: transaction,
  } as const
}
