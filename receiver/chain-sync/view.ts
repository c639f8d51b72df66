// What an event of the chain makes of a channel's facts, as pure functions.
import type { ChannelEvent } from '../../platform/chain/index.ts'
import type { ChainFacts } from '../store/records.ts'

/** Undefined when the event is about a channel whose opening was never seen. */
export function applyEvent(
  facts: ChainFacts | undefined,
  event: ChannelEvent,
): ChainFacts | undefined {
  if (event.kind === 'created') {
    const { sender, openBlock } = event.channel
    return { sender, openBlock, deposit: event.deposit, state: 'open' }
  }
  if (facts === undefined) return undefined
  switch (event.kind) {
    case 'toppedUp':
      return { ...facts, deposit: facts.deposit + event.added }
    case 'closeRequested':
      return { ...facts, state: 'closing' }
    case 'settled':
      return { ...facts, state: 'settled' }
    default:
      return facts
  }
}
