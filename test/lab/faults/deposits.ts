// What the chain says of deposits, against the caps and against the agent's own view: pure functions.
import type { ChannelEntry } from '../../../agent/channels/records.ts'
import type { ChannelEvent } from '../../../platform/chain/index.ts'
import type { Plan } from './schedule.ts'

export interface DepositBooks {
  /** Of the one sender and the one receiver, in the order of the chain. */
  readonly events: readonly ChannelEvent[]
  /** On the agent's disk. */
  readonly entries: readonly Pick<ChannelEntry, 'openBlock' | 'deposit'>[]
  /** Transactions that the agent's disk knows to be on their way, or that were. */
  readonly unbooked: readonly string[]
}

type Caps = Pick<Plan, 'mostDeposit' | 'mostDeposits' | 'steps'>

export function checkDeposits(plan: Caps, books: DepositBooks): readonly string[] {
  // With one confirmation a block that is taken back takes along what the agent knows of it.
  const mayForget = plan.steps.some(({ fault }) => fault.kind === 'killChain')
  return [...checkCaps(plan, books), ...(mayForget ? [] : checkView(books))]
}

function checkCaps({ mostDeposit, mostDeposits }: Caps, { events }: DepositBooks) {
  const locked = new Map<number, bigint>()
  const troubles: string[] = []
  for (const event of events) {
    const { openBlock } = event.channel
    if (event.kind === 'settled') locked.delete(openBlock)
    const added =
      event.kind === 'created' ? event.deposit : event.kind === 'toppedUp' ? event.added : 0n
    if (added === 0n) continue
    const one = (locked.get(openBlock) ?? 0n) + added
    locked.set(openBlock, one)
    const all = [...locked.values()].reduce((sum, each) => sum + each, 0n)
    if (one > BigInt(mostDeposit)) {
      troubles.push(`channel ${openBlock}: ${one} deposited, over the cap of ${mostDeposit}`)
    }
    if (all > BigInt(mostDeposits)) {
      troubles.push(`${all} deposited in all, over the cap of ${mostDeposits}`)
    }
  }
  return troubles
}

/** Every deposit is in the agent's books, or noted before it was sent. */
function checkView({ events, entries, unbooked }: DepositBooks): readonly string[] {
  const deposits = new Map<number, bigint>()
  for (const event of events) {
    const { openBlock } = event.channel
    const before = deposits.get(openBlock) ?? 0n
    if (event.kind === 'created') deposits.set(openBlock, event.deposit)
    if (event.kind === 'toppedUp') deposits.set(openBlock, before + event.added)
  }
  const known = new Map(entries.map(({ openBlock, deposit }) => [openBlock, deposit]))
  return [...new Set([...deposits.keys(), ...known.keys()])].flatMap((openBlock) => {
    const [there, here] = [deposits.get(openBlock) ?? 0n, known.get(openBlock) ?? 0n]
    if (here === there || (here < there && unbooked.length > 0)) return []
    return [`channel ${openBlock}: the agent knows of a deposit of ${here}, the chain of ${there}`]
  })
}
