// What an event of the chain makes of a channel's facts, as pure functions.
import type { ChannelEvent } from '../../platform/chain/index.ts'
import type { ChainFacts } from './records.ts'

/** Undefined when the event is about a channel whose opening was never seen. */
export function applyEvent(
  facts: ChainFacts | undefined,
  event: ChannelEvent,
): ChainFacts | undefined {
  if (event.kind === 'created') {
    const { sender, openBlock } = event.channel
    return { sender, openBlock, deposit: event.deposit, withdrawn: 0n, state: 'open' }
  }
  if (facts === undefined) return undefined
  switch (event.kind) {
    case 'toppedUp':
      return { ...facts, deposit: facts.deposit + event.added }
    case 'withdrawn':
      return { ...facts, withdrawn: facts.withdrawn + event.amount }
    case 'closeRequested':
      return { ...facts, state: 'closing', end: { balance: event.balance, block: event.block } }
    case 'challenged':
      // The challenge period goes on from the request.
      return { ...facts, end: { balance: event.balance, block: facts.end?.block ?? event.block } }
    case 'settled':
      return { ...facts, state: 'settled', end: { balance: event.balance, block: event.block } }
  }
}
