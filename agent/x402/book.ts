// The agent's record of authorizations: each counts as spent, and is on the disk, before it is signed, and until
// the chain has proven that it expired unused. One that is not over is offered again to the same request.
import { createHash } from 'node:crypto'
import {
  defined,
  type Hex,
  largest,
  parseAddress,
  parseUint192,
  toHex,
} from '../../protocol/index.ts'
import { assetScopes, budgetSpent, left } from '../budget/caps.ts'
import type { Ledger } from '../channels/ledger-types.ts'
import { agentError } from '../errors/index.ts'
import { keyReused } from '../purchase/errors.ts'
import type { PaidRequest } from '../purchase/types.ts'
import { type Asset, type Authorised, unitOf } from './types.ts'

export type BookLedger = Pick<Ledger, 'limits' | 'freeAt' | 'spend' | 'refund' | 'notes'>

/** What is to be authorized. */
export interface Wanted extends Pick<Authorised, 'payTo' | 'value' | 'validBefore'> {
  readonly asset: Asset
}

const prefix = 'x402/open/'

/** All of them are in memory, and each is looked up on the chain. */
const mostOpen = 200

/** A request, as a repetition is known by. */
type Named = Pick<Authorised, 'to' | 'body' | 'key'>

function nameOf({ method, url, body = '', idempotencyKey: key }: PaidRequest): Named {
  return {
    to: `${method} ${url.href}`,
    body: createHash('sha256').update(body).digest('base64url'),
    key,
  }
}

export class AuthorisationBook {
  readonly #ledger: BookLedger
  readonly #open: Map<Hex, Authorised>
  /** Of an earlier process: what has paid may not have been written. */
  readonly #earlier: ReadonlySet<Hex>
  /** With a request that waits for its answer. */
  readonly #underWay = new Set<Hex>()

  constructor(ledger: BookLedger) {
    this.#ledger = ledger
    const { notes } = ledger
    const stored = notes.keysUnder(prefix).map((key) => decode(notes.get(key) as Stored))
    const inOrder = stored.sort((a, b) => a.time - b.time)
    this.#open = new Map(inOrder.map((each) => [each.nonce, each]))
    this.#earlier = new Set(this.#open.keys())
  }

  /** Those with no request that waits for its answer, oldest first. */
  idle(): readonly Authorised[] {
    return [...this.#open.values()].filter(({ nonce }) => !this.#underWay.has(nonce))
  }

  /**
   * Writes it down as spent. Durable when it resolves: then it may be signed.
   * @throws UraidenError `budget_hour_spent` and its like, `authorizations_unsettled`, `state_unwritable`
   */
  async reserve(request: PaidRequest, { asset, ...wanted }: Wanted): Promise<Authorised> {
    const { job } = request
    const { name, chainId, address } = asset
    const scopes = assetScopes(name, wanted.payTo, job)
    this.#checkCaps(scopes, wanted.value, asset)
    if (this.#open.size >= mostOpen) throw tooMany()
    const nonce = toHex(crypto.getRandomValues(new Uint8Array(32)))
    const { notes } = this.#ledger
    // In one moment with the note: whatever is written, both are in it or none.
    const time = this.#ledger.spend(scopes, wanted.value)
    const own = { nonce, asset: name, chainId, address, job, time, ...nameOf(request) }
    const authorised: Authorised = { ...wanted, ...own }
    const note = encode(authorised)
    notes.later(keyOf(nonce), note)
    this.#open.set(nonce, authorised)
    this.#underWay.add(nonce)
    try {
      await notes.now(keyOf(nonce), note)
    } catch (error) {
      this.unused(authorised)
      throw error
    }
    return authorised
  }

  /**
   * The one that this very request was paid with, and whose answer is missing.
   * @throws UraidenError `idempotency_key_reused` when its key belongs to another request
   */
  openFor(request: PaidRequest): Authorised | undefined {
    const { to, body, key } = nameOf(request)
    const free = this.idle()
    const byKey = key === undefined ? undefined : free.find((each) => each.key === key)
    if (byKey !== undefined && (byKey.to !== to || byKey.body !== body)) throw keyReused(byKey.to)
    return byKey ?? free.findLast((each) => each.to === to && each.body === body)
  }

  isOfEarlierProcess({ nonce }: Authorised): boolean {
    return this.#earlier.has(nonce)
  }

  /** Undefined when it is over, or another request has it already. */
  offerAgain(authorised: Authorised): Authorised | undefined {
    const { nonce } = authorised
    if (!this.#open.has(nonce) || this.#underWay.has(nonce)) return undefined
    this.#underWay.add(nonce)
    return authorised
  }

  /** Nobody knows what becomes of it: it stays counted, and is offered again. */
  leaveOpen({ nonce }: Authorised): void {
    this.#underWay.delete(nonce)
  }

  /** It has paid: durable with the next write, because until then it only counts as well. */
  spent({ nonce }: Authorised): void {
    this.#forget(nonce)
  }

  /** It has not left, or expired unused, as the chain has proven. Durable with the next write. */
  unused(authorised: Authorised): void {
    const { nonce, asset, payTo, job, value, time } = authorised
    if (!this.#open.has(nonce)) return
    this.#forget(nonce)
    this.#ledger.refund(assetScopes(asset, payTo, job), value, time)
  }

  #forget(nonce: Hex): void {
    this.#open.delete(nonce)
    this.#underWay.delete(nonce)
    this.#ledger.notes.later(keyOf(nonce), undefined)
  }

  #checkCaps(scopes: ReturnType<typeof assetScopes>, value: bigint, asset: Asset): void {
    for (const limit of this.#ledger.limits(scopes)) {
      const available = largest(left(limit), 0n)
      if (available >= value) continue
      const freeAt = this.#ledger.freeAt(limit, value)
      throw budgetSpent(value, { limit, available, freeAt }, unitOf(asset))
    }
  }
}

function keyOf(nonce: Hex): string {
  return `${prefix}${nonce}`
}

interface Stored extends Omit<Authorised, 'chainId' | 'value' | 'payTo' | 'address'> {
  readonly chainId: string
  readonly value: string
  readonly payTo: string
  readonly address: string
}

function encode({ chainId, value, ...others }: Authorised): object {
  return defined({ ...others, chainId: `${chainId}`, value: `${value}` })
}

function decode(stored: Stored): Authorised {
  const { chainId, value, payTo, address, job, key } = stored
  return {
    ...{ ...stored, job, key },
    ...{ chainId: BigInt(chainId), value: parseUint192(value) },
    ...{ payTo: parseAddress(payTo), address: parseAddress(address) },
  }
}

function tooMany() {
  return agentError({
    code: 'authorizations_unsettled',
    message: `${mostOpen} authorizations are waiting for the chain to say what became of them.`,
  })
}
