// What happens to channels and payments, for whoever reads the log.
import type { ChannelEvent } from '../../platform/chain/index.ts'
import type { ChainBlock, ContractBlock } from '../../protocol/index.ts'
import type { Depth } from '../chain/sync.ts'
import type { ChannelManager } from '../channels/manager.ts'
import type { ReceiverLog } from './options.ts'

/** Blocks behind the head from which on events are history: read at the first start, not news. */
const history = 256

export interface ChainTimes {
  readonly head: () => ChainBlock | undefined
  /** When a close that was requested in this block is settled: `after block 1234, about 3 hours from now`. */
  readonly settles: (requested: ContractBlock) => string
}

/** Tells each event when it is seen and, where that comes later, when it is confirmed. */
export function tellChannels(
  log: ReceiverLog,
  { head, settles }: ChainTimes,
): (events: readonly ChannelEvent[], depth: Depth) => void {
  let seen: ReadonlySet<string> = new Set()
  return (events, depth) => {
    const before = seen
    if (depth === 'seen') seen = new Set(events.map(nameOf))
    const news = depth === 'seen' ? events.filter((event) => !before.has(nameOf(event))) : events
    for (const event of news) {
      const message = `${messages[event.kind]}${depth === 'seen' ? ', not confirmed yet' : ''}`
      const isOld = (head() ?? event.block) - event.block > history
      const tell = isOld ? log.debug : log.info
      const end = event.kind === 'closeRequested' && { settles: settles(event.contractBlock) }
      tell?.call(log, { ...factsOf(event), ...end, block: event.block }, message)
    }
  }
}

const messages: { readonly [Kind in ChannelEvent['kind']]: string } = {
  created: 'a channel was opened',
  toppedUp: 'a channel was topped up',
  closeRequested: 'its sender asks to close a channel',
  challenged: 'a close was answered with a higher balance',
  withdrawn: 'withdrawn from a channel',
  settled: 'a channel is settled',
}

function nameOf(event: ChannelEvent): string {
  return JSON.stringify([event.kind, event.block, factsOf(event)])
}

function factsOf({ block: _, channel, kind, ...rest }: ChannelEvent): object {
  const amounts = Object.entries(rest).filter(([, value]) => typeof value === 'bigint')
  const { sender, openBlock } = channel
  return { sender, openBlock, ...Object.fromEntries(amounts.map(([n, value]) => [n, `${value}`])) }
}

/** Tells each payment (debug), with why it was refused, and each agreement to close. */
export function tellPayments(manager: ChannelManager, log: ReceiverLog): ChannelManager {
  return {
    ...manager,
    registerPayment: async (payment, price, request) => {
      const outcome = await manager.registerPayment(payment, price, request)
      const { sender, openBlock, balance } = payment
      const facts = { sender, openBlock, balance: `${balance}`, price: `${price}` }
      if (outcome.kind === 'paid') log.debug?.(facts, 'paid')
      else if (outcome.kind === 'answered') log.debug?.(facts, 'paid before: answered again')
      else log.debug?.({ ...facts, code: outcome.code }, 'a payment was refused')
      return outcome
    },
    agreeToClose: async (sender, openBlock, balance) => {
      const signature = await manager.agreeToClose(sender, openBlock, balance)
      log.info({ sender, openBlock, balance: `${balance}` }, 'agreed to close a channel')
      return signature
    },
  }
}
