// Pays with ticks where the receiver takes them: what proves a payment, and when a commitment is made. Nothing here
// is signed but commitments; the ledger has each on disk before anything of it leaves.
import { randomBytes } from 'node:crypto'
import { day } from '../../platform/time/clock.ts'
import { type MonotonicClock, steadyTime } from '../../platform/time/monotonic.ts'
import {
  contractAbilities,
  defined,
  type HeaderSource,
  headerName,
  type ProofMaker,
  parseUint192,
  type SignedCommitment,
  type Terms,
  type TickWord,
  type TokenAmount,
} from '../../protocol/index.ts'
import {
  chainOf,
  drawnWord,
  type OwnCommitment,
  placeIn,
  pricesThatCount,
  signedOf,
  stepFor,
  type TickChain,
  ticksFor,
  unsignedOf,
} from '../channels/commitment.ts'
import type { Ledger, Purchase, Taken } from '../channels/ledger-types.ts'
import { takeFrom } from '../channels/position.ts'
import { type ChannelName, channelName, isAhead } from '../channels/records.ts'
import type { Attempt } from './types.ts'

/** In place of a signature. Both undefined: the receiver has shown that it needs neither. */
export interface TickedProof {
  readonly tick?: TickWord
  readonly commitment?: SignedCommitment
}

/** A commitment that is to be on disk with what is taken. Others wait until it is, or is not to be. */
export interface Making {
  readonly commitment: OwnCommitment
  readonly done: () => void
}

export interface NextPayment extends Purchase {
  readonly channel: ChannelName
  /** What the same resource cost last, as far as it is known. */
  readonly lastPrice: () => TokenAmount | undefined
}

export interface Ticks {
  /** Undefined where none is due. Waits for one that is being made. */
  readonly due: (payment: NextPayment) => Promise<Making | undefined>
  /** Undefined where a signature is needed. */
  readonly proofOf: (taken: Taken) => TickedProof | undefined
  /**
   * The receiver has refused what was shown, and asks for more.
   * @returns the same payment with the commitment, `sign` for an ordinary proof, or undefined where it was
   * refused for something else
   */
  readonly stronger: (attempt: Attempt, answer: Terms) => TickedProof | 'sign' | undefined
  /** Of the answer to a bound payment: fields that its signature covers. */
  readonly answered: (attempt: Attempt, kind: 'taken' | 'refused', covered: HeaderSource) => void
}

export interface TicksOptions {
  readonly ledger: Ledger
  readonly proofs: ProofMaker
  readonly contractVersion: string
  /** Most ticks of one commitment; 0 for none. */
  readonly most: number
  readonly now?: MonotonicClock
}

/** Of a channel, in the ledger's notes. */
interface TicksNote {
  /** The receiver takes ticks: it has said so in an authenticated answer. */
  readonly offered?: boolean
  /** The name of the commitment that the receiver knows. */
  readonly known?: string
  /** When it refused a commitment, Unix time in milliseconds: the channel pays with signatures for a day. */
  readonly refused?: number
}

/** For so long ticks are not tried again. In milliseconds. */
const refusedFor = day

const prefix = 'ticks/'

export function createTicks(options: TicksOptions): Ticks {
  return options.most > 0 ? new ChannelTicks(options) : noTicks
}

const noTicks: Ticks = {
  due: async () => undefined,
  proofOf: () => undefined,
  stronger: () => undefined,
  answered: () => undefined,
}

class ChannelTicks implements Ticks {
  readonly #options: TicksOptions
  readonly #now: MonotonicClock
  /** The last ones of each channel, oldest first. */
  readonly #prices = new Map<ChannelName, readonly TokenAmount[]>()
  readonly #making = new Map<ChannelName, Promise<void>>()
  readonly #chains = new WeakMap<OwnCommitment, TickChain>()
  /** The highest balance that an authenticated answer to this process has shown. */
  readonly #shown = new Map<ChannelName, TokenAmount>()
  /** As in the ledger's notes. */
  readonly #notes = new Map<ChannelName, TicksNote>()

  constructor(options: TicksOptions) {
    this.#options = options
    this.#now = options.now ?? steadyTime
    forgetClosed(options.ledger)
  }

  async due(payment: NextPayment): Promise<Making | undefined> {
    const { channel } = payment
    const prices = this.#pricesWith(payment)
    if (!this.#paysWithTicks(channel)) return
    for (let waited = false; ; waited = true) {
      const wanted = this.#wanted(payment, prices)
      if (wanted === undefined) return
      const running = this.#making.get(channel)
      if (running === undefined) return this.#make(channel, wanted)
      if (waited) return
      await running
    }
  }

  proofOf({ channel, interval, source }: Taken): TickedProof | undefined {
    const { offered, known } = this.#note(channel)
    if (offered !== true || source === 'probe') return
    const { to } = interval
    // What is fresh is above all that was signed, whatever was shown.
    if (source !== 'fresh' && to <= (this.#shown.get(channel) ?? 0n)) return {}
    const own = this.#options.ledger.commitment(channel)
    const place = own && this.#paysWithTicks(channel) ? placeIn(own, to) : undefined
    if (own === undefined || place === undefined) return
    const { bound } = this.#options.ledger.get(channel)
    if (to > bound) throw new Error(`a tick of ${channel} above its bound`)
    const chain = this.#chainOf(own)
    const isKnown = known === nameOf(own)
    return defined({
      tick: chain.word(place),
      commitment: isKnown ? undefined : signedOf(own, chain),
    })
  }

  stronger(attempt: Attempt, answer: Terms): TickedProof | 'sign' | undefined {
    const { taken, payment } = attempt
    if (payment.signature !== undefined) return undefined
    if (!this.#asksForProof(attempt, answer)) return undefined
    const { channel } = taken
    if (payment.commitment !== undefined) {
      this.#change(channel, { refused: this.#now() })
      return 'sign'
    }
    this.#change(channel, { known: undefined })
    this.#shown.set(channel, answer.senderBalance ?? 0n)
    const proof = this.proofOf(taken)
    return proof?.commitment === undefined ? 'sign' : proof
  }

  answered({ taken, payment }: Attempt, kind: 'taken' | 'refused', covered: HeaderSource): void {
    const { channel } = taken
    const features = covered(headerName.features)
    // Whoever is paid with a signature says each time what it takes.
    if (features !== undefined || payment.signature !== undefined) {
      this.#change(channel, { offered: offersTicks(features) })
    }
    const balance = amountOf(covered(headerName.senderBalance))
    if (balance !== undefined && balance > (this.#shown.get(channel) ?? 0n)) {
      this.#shown.set(channel, balance)
    }
    if (kind === 'taken' && payment.commitment !== undefined) {
      this.#change(channel, { known: nameOf(payment.commitment), refused: undefined })
    }
  }

  #paysWithTicks(channel: ChannelName): boolean {
    const { offered, refused } = this.#note(channel)
    return offered === true && !(refused !== undefined && this.#now() - refused < refusedFor)
  }

  /** No other reason than that what was shown is not enough. */
  #asksForProof({ taken, payment }: Attempt, answer: Terms): boolean {
    const { reason, senderBalance = 0n, price } = answer
    switch (reason) {
      case 'tick_unknown':
        return true
      case 'invalid_balance_proof':
        return !isAhead(this.#options.ledger.get(taken.channel), payment.balance)
      case undefined:
        return senderBalance < payment.balance && price <= (payment.amount ?? price)
      default:
        return false
    }
  }

  #pricesWith({ channel, price, lastPrice }: NextPayment): readonly TokenAmount[] {
    const prices = [...(this.#prices.get(channel) ?? startWith(lastPrice())), price]
    if (prices.length > pricesThatCount) prices.shift()
    this.#prices.set(channel, prices)
    return prices
  }

  /** What the next commitment is to be; undefined where the next payment is better proven in another way. */
  #wanted(payment: NextPayment, prices: readonly TokenAmount[]) {
    const { channel, price, receiverKnows } = payment
    const step = stepFor(prices)
    if (step === undefined) return undefined
    const { ledger, most } = this.#options
    const stand = ledger.get(channel)
    const { signed: base, deposit } = stand
    const { doubtful = [] } = stand
    const next = takeFrom({ ...stand, doubtful }, { price, bound: deposit, receiverKnows })
    if (next?.source !== 'fresh') return undefined
    const earlier = ledger.commitment(channel)
    if (earlier !== undefined && placeIn(earlier, next.interval.to) !== undefined) return undefined
    const ticks = ticksFor({ base, step, price, deposit, earlier, most })
    return ticks === undefined ? undefined : { base, step, ticks }
  }

  async #make(
    channel: ChannelName,
    wanted: Pick<OwnCommitment, 'base' | 'step' | 'ticks'>,
  ): Promise<Making> {
    const { ledger, proofs } = this.#options
    const { done, isDone } = ending()
    this.#making.set(
      channel,
      isDone.finally(() => this.#making.delete(channel)),
    )
    try {
      const last = drawnWord(randomBytes(32))
      const chain = chainOf({ last, ticks: wanted.ticks })
      const { signature } = await proofs.commitment(ledger.get(channel), unsignedOf(wanted, chain))
      const commitment = { ...wanted, last, signature }
      this.#chains.set(commitment, chain)
      return { commitment, done }
    } catch (error) {
      done()
      throw error
    }
  }

  #chainOf(own: OwnCommitment): TickChain {
    const known = this.#chains.get(own)
    if (known !== undefined) return known
    const chain = chainOf(own)
    this.#chains.set(own, chain)
    return chain
  }

  #note(channel: ChannelName): TicksNote {
    const { ledger, contractVersion } = this.#options
    const known = this.#notes.get(channel)
    if (known !== undefined) return known
    const written = ledger.notes.get(`${prefix}${channel}`) as TicksNote | undefined
    const note = written && contractAbilities(contractVersion).hasTicks ? written : {}
    this.#notes.set(channel, note)
    return note
  }

  #change(channel: ChannelName, change: Changed<TicksNote>): void {
    const { ledger, contractVersion } = this.#options
    if (!contractAbilities(contractVersion).hasTicks) return
    const before = this.#note(channel)
    const note = defined({ ...before, ...change })
    if (JSON.stringify(note) === JSON.stringify(before)) return
    this.#notes.set(channel, note)
    ledger.notes.later(`${prefix}${channel}`, note)
  }
}

type Changed<Of> = { readonly [Name in keyof Of]: Of[Name] | undefined }

/** The commitments of one channel differ in it, and it is no secret. */
function nameOf({ signature }: Pick<OwnCommitment, 'signature'>): string {
  return signature.slice(2, 18)
}

function startWith(price: TokenAmount | undefined): readonly TokenAmount[] {
  return price === undefined ? [] : [price]
}

function forgetClosed(ledger: Ledger): void {
  const { notes } = ledger
  const open = new Set<string>()
  for (const { receiver, openBlock, state } of ledger.channels()) {
    if (state !== 'closed') open.add(`${prefix}${channelName(receiver, openBlock)}`)
  }
  for (const key of notes.keysUnder(prefix)) if (!open.has(key)) notes.later(key, undefined)
}

function ending(): { readonly done: () => void; readonly isDone: Promise<void> } {
  let done = (): void => undefined
  const isDone = new Promise<void>((resolve) => {
    done = resolve
  })
  return { done, isDone }
}

function offersTicks(features: string | undefined): boolean {
  return features?.split(',').some((each) => each.trim().toLowerCase() === 'ticks') === true
}

function amountOf(text: string | undefined): TokenAmount | undefined {
  try {
    return text === undefined ? undefined : parseUint192(text)
  } catch {
    return undefined
  }
}
