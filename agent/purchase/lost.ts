// Payments whose answers are missing, by the key that asks for them again with the same proof: those of
// this process, and, where the caller gave the key, those of one that was killed.
import { parseUint192 } from '../../protocol/index.ts'
import type { Taken } from '../channels/ledger-types.ts'
import type { Notes } from '../channels/notes.ts'
import type { Attempt, PaidRequest, SentPayment } from './types.ts'

const prefix = 'sent/'

interface SentNote extends Omit<SentPayment, 'price' | 'balance'> {
  readonly price: string
  readonly balance: string
  /** Whom it was sent to: nobody else may see it. */
  readonly to: string
  readonly time: number
}

export interface LostPayments {
  readonly put: (key: string, attempt: Attempt) => void
  readonly take: (key: string) => Attempt | undefined
  /** Those that can be taken. */
  readonly known: ReadonlyMap<string, Attempt>
  /** Before a payment with a key of the caller's leaves; durable when it resolves. */
  readonly noteSent: (request: PaidRequest, payment: SentPayment) => Promise<void>
  /** The payment of an earlier process for this very request. */
  readonly sentBefore: (request: PaidRequest) => SentPayment | undefined
  /** Its answer has come, or never will. */
  readonly answered: (request: PaidRequest) => void
  /** What this offered has paid for its request, so it has paid for none that offered it before. */
  readonly paidFor: (attempt: Attempt) => void
  /** What it offered has paid for another request meanwhile. */
  readonly isSuperseded: (payment: SentPayment) => boolean
}

/** Keeps the `most` newest. */
export function createLostPayments(notes: Notes, most = 100): LostPayments {
  const known = new Map<string, Attempt>()
  const superseded = new Set<string>()

  function forgetOldestNote(): void {
    const keys = notes.keysUnder(prefix)
    if (keys.length < most) return
    const time = (key: string): number => (notes.get(key) as SentNote).time
    const oldest = keys.reduce((a, b) => (time(b) < time(a) ? b : a))
    notes.later(oldest, undefined)
  }

  function limit(keys: Map<string, unknown> | Set<string>): void {
    const [oldest] = keys.keys()
    if (keys.size > most && oldest !== undefined) keys.delete(oldest)
  }

  return {
    known,
    put: (key, attempt) => {
      known.set(key, attempt)
      limit(known)
    },
    take: (key) => {
      const attempt = known.get(key)
      known.delete(key)
      return attempt
    },
    noteSent: async (request, payment) => {
      if (request.idempotencyKey === undefined || payment.key === undefined) return
      forgetOldestNote()
      const note = { ...payment, to: destination(request), time: Date.now() }
      await notes.now(`${prefix}${request.idempotencyKey}`, note)
    },
    sentBefore: (request) => {
      if (request.idempotencyKey === undefined) return undefined
      const note = notes.get(`${prefix}${request.idempotencyKey}`) as SentNote | undefined
      if (note?.to !== destination(request)) return undefined
      const { to: _, time: __, price, balance, ...rest } = note
      return { ...rest, price: parseUint192(price), balance: parseUint192(balance) }
    },
    answered: ({ idempotencyKey }) => {
      if (idempotencyKey !== undefined) notes.later(`${prefix}${idempotencyKey}`, undefined)
    },
    paidFor: ({ taken, key }) => {
      for (const [other, { taken: before, payment }] of known) {
        if (other === key || !overlap(before, taken)) continue
        known.delete(other)
        notes.later(`${prefix}${other}`, undefined)
        superseded.add(nameOf({ key: other, channel: before.channel, balance: payment.balance }))
        limit(superseded)
      }
    },
    isSuperseded: (payment) => superseded.has(nameOf(payment)),
  }
}

/** The receiver takes each unit once (wire-protocol.md section 8). */
function overlap(a: Taken, b: Taken): boolean {
  const units = a.interval.from < b.interval.to && b.interval.from < a.interval.to
  return a.channel === b.channel && units
}

function nameOf({ key, channel, balance }: Pick<SentPayment, 'key' | 'channel' | 'balance'>) {
  return `${key} ${channel} ${balance}`
}

function destination({ method, url }: PaidRequest): string {
  return `${method} ${url.href}`
}
