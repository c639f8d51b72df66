// Payments whose answers are missing, by the key that asks for them again with the same proof: those of
// this process, and, where the caller gave the key, those of one that was killed.
import { createHash } from 'node:crypto'
import { parseUint192 } from '../../protocol/index.ts'
import type { Taken } from '../channels/ledger-types.ts'
import type { Notes } from '../channels/notes.ts'
import { keyReused } from './errors.ts'
import type { Attempt, ChannelPayment, PaidRequest } from './types.ts'

const prefix = 'sent/'

interface SentNote extends Omit<ChannelPayment, 'price' | 'balance'> {
  readonly price: string
  readonly balance: string
  /** Whom it was sent to: nobody else may see it. */
  readonly to: string
  /** Of its body; notes of earlier versions have none. */
  readonly body?: string
  readonly time: number
}

/** A key stands for one request: under another one it would carry the payment past what allowed it. */
interface Lost {
  readonly attempt: Attempt
  readonly to: string
  readonly body: string
}

export interface LostPayments {
  readonly put: (request: PaidRequest, key: string, attempt: Attempt) => void
  /** @throws UraidenError `idempotency_key_reused` for another request */
  readonly take: (request: PaidRequest, key: string) => Attempt | undefined
  /** Whether one left with this key of the caller's, in this process or an earlier one, and had no answer. */
  readonly has: (key: string) => boolean
  /** Those that can be taken. */
  readonly known: ReadonlyMap<string, unknown>
  /** Before a payment with a key of the caller's leaves; a killed process does not lose it once it resolves. */
  readonly noteSent: (request: PaidRequest, payment: ChannelPayment) => Promise<void>
  /**
   * The payment of an earlier process for this very request.
   * @throws UraidenError `idempotency_key_reused` for another request
   */
  readonly sentBefore: (request: PaidRequest) => ChannelPayment | undefined
  /** Its answer has come, or never will. */
  readonly answered: (request: PaidRequest) => void
  /** What this offered has paid for its request, so it has paid for none that offered it before. */
  readonly paidFor: (attempt: Attempt) => void
  /** What it offered has paid for another request meanwhile. */
  readonly isSuperseded: (payment: ChannelPayment) => boolean
}

/** Keeps the `most` newest. */
export function createLostPayments(notes: Notes, most = 100): LostPayments {
  const known = new Map<string, Lost>()
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
    has: (key) => known.has(key) || notes.get(`${prefix}${key}`) !== undefined,
    put: (request, key, attempt) => {
      known.set(key, { attempt, ...nameOfRequest(request) })
      limit(known)
    },
    take: (request, key) => {
      const lost = known.get(key)
      if (lost === undefined) return undefined
      checkSame(request, lost)
      known.delete(key)
      return lost.attempt
    },
    noteSent: async (request, payment) => {
      if (request.idempotencyKey === undefined || payment.key === undefined) return
      forgetOldestNote()
      const note = { ...payment, ...nameOfRequest(request), time: Date.now() }
      await notes.soon(`${prefix}${request.idempotencyKey}`, note)
    },
    sentBefore: (request) => {
      if (request.idempotencyKey === undefined) return undefined
      const note = notes.get(`${prefix}${request.idempotencyKey}`) as SentNote | undefined
      if (note === undefined) return undefined
      checkSame(request, note)
      const { to: _, body: __, time: ___, price, balance, ...rest } = note
      return { ...rest, price: parseUint192(price), balance: parseUint192(balance) }
    },
    answered: ({ idempotencyKey }) => {
      if (idempotencyKey !== undefined) notes.later(`${prefix}${idempotencyKey}`, undefined)
    },
    paidFor: ({ taken, key }) => {
      for (const [other, { attempt }] of known) {
        const { taken: before, payment } = attempt
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

function nameOf({ key, channel, balance }: Pick<ChannelPayment, 'key' | 'channel' | 'balance'>) {
  return `${key} ${channel} ${balance}`
}

function nameOfRequest({ method, url, body = '' }: PaidRequest): Pick<Lost, 'to' | 'body'> {
  return {
    to: `${method} ${url.href}`,
    body: createHash('sha256').update(body).digest('base64url'),
  }
}

function checkSame(request: PaidRequest, before: Pick<SentNote, 'to' | 'body'>): void {
  const { to, body } = nameOfRequest(request)
  if (to !== before.to || body !== (before.body ?? body)) throw keyReused(before.to)
}
