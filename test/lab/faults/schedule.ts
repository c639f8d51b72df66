// What goes wrong when: drawn from a seed, so that a run can be played again.
import { seededRandom } from '../random/random.ts'

export const links = ['agent-receiver', 'agent-chain', 'receiver-chain'] as const
/** The last one only where the receiver's state is in a database. */
export type LinkName = (typeof links)[number] | 'receiver-database'
export const programs = ['agent', 'receiver'] as const
export type ProgramName = (typeof programs)[number]

/** Lasting ones end after `lasts` milliseconds. */
export type Fault =
  | { readonly kind: 'delay'; readonly link: LinkName; readonly most: number }
  /** A piece of data breaks the connection with this chance. */
  | { readonly kind: 'loss'; readonly link: LinkName; readonly chance: number }
  /** A request is sent once more, on a connection of its own, with this chance. */
  | { readonly kind: 'duplicate'; readonly link: LinkName; readonly chance: number }
  /** Nothing gets through, one way or both. */
  | { readonly kind: 'partition'; readonly link: LinkName; readonly way: 'both' | 'to' | 'from' }
  /** Nobody listens. */
  | { readonly kind: 'refuse'; readonly link: LinkName }
  | { readonly kind: 'kill'; readonly program: ProgramName }
  | { readonly kind: 'freeze'; readonly program: ProgramName | 'chain' }
  /** Every synced write takes up to so many milliseconds more. */
  | { readonly kind: 'slowDisk'; readonly program: ProgramName; readonly most: number }
  | { readonly kind: 'fullDisk'; readonly program: ProgramName }
  /** The wall clock jumps, in milliseconds. */
  | { readonly kind: 'clock'; readonly program: ProgramName; readonly step: number }
  /** The agent closes its channel and opens another one. */
  | { readonly kind: 'close' }
  /** The receiver takes out what it can prove; its channels pay on. */
  | { readonly kind: 'withdraw' }
  /** The node's process is killed; only a geth keeps its chain. */
  | { readonly kind: 'killChain' }
  /** All of the database server at once; it starts again. */
  | { readonly kind: 'killDatabase' }

export interface Step {
  /** Milliseconds after the beginning. */
  readonly at: number
  readonly lasts: number
  readonly fault: Fault
}

export interface Plan {
  readonly seed: number
  readonly steps: readonly Step[]
  /** When everything is mended. */
  readonly duration: number
  /** Requests at once. */
  readonly atOnce: number
  /** Payments that one synced write of the agent covers. */
  readonly reservation: number
  /** What the agent may spend in all, in the token's smallest unit. */
  readonly total: number
  /** Most deposit in one channel, and in all that are not closed. */
  readonly mostDeposit: number
  readonly mostDeposits: number
  /** Who sends the transactions that open, top up and close. */
  readonly funding: 'auto' | 'relay'
  readonly clockTrust: 'auto' | 'trusted'
  /** How each program ends before the books are read. */
  readonly end: Readonly<Record<ProgramName, 'stop' | 'kill'>>
}

/** What this machine can do. */
export interface Means {
  readonly fullDisk: boolean
  readonly killChain: boolean
}

export function planOf(seed: number, means: Means): Plan {
  const random = seededRandom(seed)
  const upTo = (most: number) => Math.floor(random() * most)
  const pick = <Item>(items: readonly [Item, ...Item[]]): Item =>
    items[upTo(items.length)] ?? items[0]
  const duration = 1200 + upTo(1300)
  const faults = faultMakers(pick, upTo, means)
  const steps = Array.from({ length: 3 + upTo(7) }, (): Step => {
    const at = upTo(duration - 300)
    return { at, lasts: 50 + upTo(Math.min(700, duration - at)), fault: pick(faults)() }
  })
  const { withdrawals, ...ways } = waysOf(seed, duration)
  return {
    seed,
    ...ways,
    steps: [...steps, ...withdrawals].sort((a, b) => a.at - b.at),
    duration,
    atOnce: 1 + upTo(4),
    reservation: pick([1, 4, 16]),
    total: pick([100_000, 100_000, 60 + upTo(400)]),
    clockTrust: pick(['auto', 'trusted']),
    end: { agent: pick(['stop', 'kill']), receiver: pick(['stop', 'kill']) },
  }
}

/** The same, so many times as long: where everything is slow, more is paid between two faults. */
export function stretched(plan: Plan, times: number): Plan {
  const steps = plan.steps.map((step) => ({
    ...step,
    at: step.at * times,
    lasts: step.lasts * times,
  }))
  return { ...plan, steps, duration: plan.duration * times }
}

/**
 * The same with a receiver whose state is in a database: what would befall its disk befalls that, and the way to it
 * fails as well. Drawn by itself, too.
 */
export function onDatabase(plan: Plan): Plan {
  const random = seededRandom(plan.seed ^ 0x5bd1e995)
  const upTo = (most: number) => Math.floor(random() * most)
  const makers = databaseFaults(upTo)
  const more = Array.from({ length: 1 + upTo(3) }, (): Step => {
    const at = upTo(plan.duration - 300)
    const fault = makers[upTo(makers.length)]?.() ?? { kind: 'killDatabase' }
    return { at, lasts: 50 + upTo(Math.min(700, plan.duration - at)), fault }
  })
  const steps = plan.steps.map((step) => ({ ...step, fault: notOfItsDisk(step.fault) }))
  return { ...plan, steps: [...steps, ...more].sort((a, b) => a.at - b.at) }
}

const databaseLink = 'receiver-database' as const

function databaseFaults(upTo: UpTo): readonly Maker[] {
  const link = databaseLink
  return [
    () => ({ kind: 'delay', link, most: 5 + upTo(150) }),
    () => ({ kind: 'loss', link, chance: [0.02, 0.1, 0.3][upTo(3)] ?? 0.1 }),
    () => ({ kind: 'partition', link, way: (['both', 'to', 'from'] as const)[upTo(3)] ?? 'both' }),
    () => ({ kind: 'refuse', link }),
    () => ({ kind: 'killDatabase' }),
  ]
}

function notOfItsDisk(fault: Fault): Fault {
  if (!('program' in fault) || fault.program !== 'receiver') return fault
  if (fault.kind === 'slowDisk') return { kind: 'delay', link: databaseLink, most: fault.most }
  return fault.kind === 'fullDisk' ? { kind: 'killDatabase' } : fault
}

/** Drawn by itself, so that the faults of a seed stay what they were before there was this. */
function waysOf(seed: number, duration: number) {
  const random = seededRandom(seed + 2 ** 31)
  const upTo = (most: number) => Math.floor(random() * most)
  const withdrawals = Array.from({ length: upTo(3) }, (): Step => {
    return { at: 300 + upTo(duration - 300), lasts: 0, fault: { kind: 'withdraw' } }
  })
  const mostDeposit = [100_000, 100, 200][upTo(3)] ?? 100_000
  return {
    withdrawals,
    mostDeposit,
    mostDeposits: upTo(2) === 0 ? 100_000 : mostDeposit + upTo(200),
    funding: upTo(4) === 0 ? ('relay' as const) : ('auto' as const),
  }
}

/** In milliseconds. */
const twoDays = 172_800_000

type Pick = <Item>(items: readonly [Item, ...Item[]]) => Item
type UpTo = (most: number) => number
type Maker = () => Fault

function faultMakers(pick: Pick, upTo: UpTo, means: Means): readonly [Maker, ...Maker[]] {
  const link = () => pick(links)
  const program = () => pick(programs)
  return [
    () => ({ kind: 'delay', link: link(), most: 5 + upTo(150) }),
    () => ({ kind: 'loss', link: link(), chance: pick([0.02, 0.1, 0.3]) }),
    () => ({ kind: 'duplicate', link: 'agent-receiver', chance: pick([0.2, 1]) }),
    () => ({ kind: 'partition', link: link(), way: pick(['both', 'to', 'from']) }),
    () => ({ kind: 'refuse', link: link() }),
    () => ({ kind: 'kill', program: 'agent' }),
    () => ({ kind: 'kill', program: 'receiver' }),
    () => ({ kind: 'freeze', program: pick(['agent', 'receiver', 'chain']) }),
    () => ({ kind: 'slowDisk', program: program(), most: 10 + upTo(200) }),
    () => ({ kind: 'clock', program: program(), step: upTo(2 * twoDays) - twoDays }),
    () => ({ kind: 'close' }),
    ...(means.fullDisk ? [(): Fault => ({ kind: 'fullDisk', program: program() })] : []),
    ...(means.killChain ? [(): Fault => ({ kind: 'killChain' })] : []),
  ]
}
