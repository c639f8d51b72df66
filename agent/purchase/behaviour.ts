// How receivers have behaved lately: a score of refusals, overcharging and broken answers that halves each hour.
// It is kept small and goes to disk with what is written anyway. A receiver with a high one gets no new
// deposit, and with a higher one nothing at all for a while.
import { type MonotonicClock, steadyTime } from '../../platform/time/monotonic.ts'
import { type Address, isUraidenError, type UraidenError } from '../../protocol/index.ts'
import type { Notes } from '../channels/notes.ts'
import { agentError } from '../errors/index.ts'
import { isUnproven } from '../transport/bound.ts'

/**
 * refused      payments that it does not take, channels that it does not know
 * overcharged  it keeps a payment and serves nothing, or claims more than its price or our signature
 * broken       answers that cannot be read, are not the receiver's, or were charged for an error of its own
 */
export type Trouble = 'refused' | 'overcharged' | 'broken'

export interface ReceiverBehaviour {
  readonly receiver: Address
  /** What is left of each, as of now. */
  readonly refused: number
  readonly overcharged: number
  readonly broken: number
  readonly score: number
  /** The newest. Unix time in milliseconds. */
  readonly last: { readonly code: string; readonly time: number }
  /** What a purchase may do there. */
  readonly trust: 'full' | 'noDeposit' | 'leftAlone'
  /** When it is tried again; undefined when it is not left alone. Unix time in milliseconds. */
  readonly leftAloneUntil: number | undefined
}

export interface Behaviours {
  /** Those with whom there was trouble lately: none, mostly. */
  readonly troubled: ReadonlyMap<Address, unknown>
  /** Counts what an error of a purchase says of the receiver, if anything. */
  readonly failed: (receiver: Address, error: unknown) => void
  readonly trouble: (receiver: Address, what: Trouble, code: string) => void
  /** Before a payment. @throws UraidenError `receiver_left_alone` */
  readonly mayPay: (receiver: Address) => void
  /** Before more is locked. @throws UraidenError `receiver_left_alone` */
  readonly mayDeposit: (receiver: Address) => void
  /** Worst first. */
  readonly all: () => readonly ReceiverBehaviour[]
}

interface Entry {
  readonly refused: number
  readonly overcharged: number
  readonly broken: number
  /** When the counts were right. */
  readonly time: number
  readonly code: string
}

const prefix = 'behaviour/'
const halfLife = 3_600_000
/** Scores: two refusals in a short time end deposits, four leave the receiver alone. */
const noDeposit = 1.5
const leftAlone = 3.5
const weights: { readonly [What in Trouble]: number } = { refused: 1, overcharged: 2, broken: 1 }
/** Below this nothing is remembered. */
const forgotten = 0.05
const mostKept = 200

const troubles: { readonly [code: string]: Trouble } = {
  payment_refused: 'refused',
  proof_refused: 'refused',
  channel_disowned: 'refused',
  receiver_cheats: 'overcharged',
  balance_unproven: 'overcharged',
  answer_malformed: 'broken',
  terms_unreadable: 'broken',
  traffic_altered: 'broken',
  receiver_key_untrusted: 'broken',
}

export function createBehaviours(notes: Notes, now: MonotonicClock = steadyTime): Behaviours {
  return new RememberedBehaviours(notes, now)
}

class RememberedBehaviours implements Behaviours {
  readonly #notes: Notes
  readonly #now: () => number
  /** Read with every purchase, which has nothing else to do with this file. */
  readonly troubled = new Map<Address, Entry>()

  constructor(notes: Notes, now: () => number) {
    this.#notes = notes
    this.#now = now
    for (const key of notes.keysUnder(prefix)) {
      this.troubled.set(key.slice(prefix.length) as Address, notes.get(key) as Entry)
    }
  }

  failed(receiver: Address, error: unknown): void {
    if (!isUraidenError(error)) return
    const what = isUnproven(error) ? 'broken' : troubles[error.code]
    if (what !== undefined) this.trouble(receiver, what, error.code)
  }

  trouble(receiver: Address, what: Trouble, code: string): void {
    const time = this.#now()
    const { refused, overcharged, broken } = this.#of(receiver)
    const counts = { refused, overcharged, broken }
    const entry = { ...counts, [what]: counts[what] + 1, time, code }
    this.troubled.delete(receiver)
    this.troubled.set(receiver, entry)
    this.#notes.later(`${prefix}${receiver}`, entry)
    const [oldest] = this.troubled.keys()
    if (this.troubled.size > mostKept && oldest !== undefined) this.#forget(oldest)
  }

  mayPay(receiver: Address): void {
    const found = this.#of(receiver)
    if (found.trust === 'leftAlone') throw isLeftAlone(found)
  }

  mayDeposit(receiver: Address): void {
    const found = this.#of(receiver)
    if (found.trust !== 'full') throw getsNoDeposit(found)
  }

  all(): readonly ReceiverBehaviour[] {
    const found = [...this.troubled.keys()].map((receiver) => this.#of(receiver))
    for (const { receiver, score } of found) if (score < forgotten) this.#forget(receiver)
    return found.filter(({ score }) => score >= forgotten).sort((a, b) => b.score - a.score)
  }

  #of(receiver: Address): ReceiverBehaviour {
    const now = this.#now()
    const entry = this.troubled.get(receiver) ?? { ...nothing, time: now }
    // A clock that was set back does not make it worse.
    const kept = 0.5 ** (Math.max(0, now - entry.time) / halfLife)
    const part = (what: Trouble) => entry[what] * kept
    const counts = {
      refused: part('refused'),
      overcharged: part('overcharged'),
      broken: part('broken'),
    }
    const score =
      counts.refused * weights.refused +
      counts.overcharged * weights.overcharged +
      counts.broken * weights.broken
    const trust = score >= leftAlone ? 'leftAlone' : score >= noDeposit ? 'noDeposit' : 'full'
    return {
      ...{ receiver, ...counts, score, trust },
      last: { code: entry.code, time: entry.time },
      leftAloneUntil: trust === 'leftAlone' ? now + timeUntil(leftAlone, score) : undefined,
    }
  }

  #forget(receiver: Address): void {
    this.troubled.delete(receiver)
    this.#notes.later(`${prefix}${receiver}`, undefined)
  }
}

const nothing = { refused: 0, overcharged: 0, broken: 0, code: '' } as const

/** For a score to fall to `limit`, in milliseconds. */
function timeUntil(limit: number, score: number): number {
  return Math.ceil(halfLife * Math.log2(score / limit))
}

function minutes(milliseconds: number): string {
  return `${Math.max(1, Math.ceil(milliseconds / 60_000))} min`
}

function isLeftAlone({ receiver, score, last }: ReceiverBehaviour): UraidenError {
  return agentError({
    code: 'receiver_left_alone',
    message: `The receiver ${receiver} has refused or spoilt purchases again and again (${last.code}): it is left alone for ${minutes(timeUntil(leftAlone, score))}.`,
  })
}

function getsNoDeposit({ receiver, score, last }: ReceiverBehaviour): UraidenError {
  return agentError({
    code: 'receiver_left_alone',
    message: `The receiver ${receiver} has refused or spoilt purchases lately (${last.code}): no more is locked in a channel to it for ${minutes(timeUntil(noDeposit, score))}.`,
  })
}
