// A sender with channels of its own, whose requests are well signed and who pays with ticks that prove too little:
// of another commitment, channel or sender, off the grid, behind the end, above the deposit, after a close.
import { id, SigningKey } from 'ethers'
import {
  type Address,
  addressOfKey,
  type ContractBlock,
  formatPayment,
  fromHex,
  type HeaderFields,
  isUraidenError,
  parseCommitment,
  parseTickWord,
  type SignedCommitment,
  tickIndex,
} from '../../../protocol/index.ts'
import { claimedSum } from '../../../receiver/channels/claims.ts'
import { balanceProof } from '../../../scripts/lib/sign.ts'
import { type BoundSender, bindSender, type SentProof } from '../../lab/torture/bound-sender.ts'
import { isProofOf } from '../../support/best-proof.ts'
import { field } from '../../support/bound-receiver.ts'
import { chainId, contract, receiverKey, terms } from '../../support/lying-receiver.ts'
import { commitTicks, type Ticks } from '../../support/ticks.ts'
import type { Attacker } from './attacker.ts'
import type { Cheat } from './schedule.ts'
import { firstOfCheat, type Shop } from './shop.ts'

const key = `0x${'77'.repeat(32)}`
const cheater = addressOfKey(fromHex(key))
const domain = { chainId, contract }
const { receiver } = terms
const cheaterDeposit = 3000n

/** As they are on the chain. */
export const cheaterChannels = [8, 9].map((openBlock) => ({
  ...{ sender: cheater, receiver, openBlock },
  deposit: cheaterDeposit,
}))

interface OwnChannel {
  readonly sender: Address
  readonly receiver: Address
  readonly openBlock: ContractBlock
  readonly commitments: Ticks[]
  bound: Promise<BoundSender> | undefined
  /** The receiver has agreed to its close, at this balance. */
  closedAt: bigint | undefined
}

/** A payment that is tried. */
interface Attempt {
  readonly balance: bigint
  readonly proof: SentProof
  readonly way?: 'unbound'
  /** It would prove nothing to the contract: it must not be served. */
  readonly proves: 'something' | 'nothing'
}

interface CheaterOptions {
  readonly seed: number
  readonly shop: Shop
  readonly attacker: Attacker
  readonly troubles: string[]
}

export class Cheater {
  readonly #options: CheaterOptions
  readonly #channels: readonly [OwnChannel, OwnChannel]
  #asked = 0
  #committed = 0
  #last: { readonly path: string; readonly headers: HeaderFields } | undefined
  /** Payments that were served, by what is in them. */
  readonly tried = new Map<string, number>()

  constructor(options: CheaterOptions) {
    this.#options = options
    const [first, second] = cheaterChannels.map(({ deposit: _, ...channel }): OwnChannel => {
      return { ...channel, commitments: [], bound: undefined, closedAt: undefined }
    })
    if (first === undefined || second === undefined) throw new Error('there are no channels')
    this.#channels = [first, second]
  }

  async play(cheats: readonly Cheat[]): Promise<void> {
    for (const cheat of cheats) await this.#try(this.#channels[cheat.channel], cheat)
    this.audit()
  }

  /** Whatever it did, it can pay as everybody can. */
  async payHonestly(): Promise<void> {
    for (const channel of this.#channels) {
      const balance = this.#highest(channel) + this.#price
      if (channel.closedAt !== undefined || balance > cheaterDeposit) continue
      const ticks = this.#commit(channel, { base: balance - this.#price })
      const status = await this.#send(channel, {
        ...{ balance, proof: ticks.first(1), proves: 'something' },
      })
      if (status !== 200) this.#trouble(channel, `a good tick is answered with ${status}`)
    }
    this.audit()
  }

  audit(): void {
    const { shop } = this.#options
    let claimed = 0n
    for (const channel of this.#channels) {
      const { openBlock, closedAt } = channel
      const { claims, proof } = shop.receiver.book.ledger(cheater, openBlock)
      const { highest } = claims
      claimed += claimedSum(claims)
      const isProven = highest === 0n || (proof && isProofOf(highest, proof, { domain, channel }))
      if (!isProven) this.#trouble(channel, `there is no proof of ${highest}`)
      if (highest > cheaterDeposit) this.#trouble(channel, `${highest} is over its deposit`)
      if (closedAt !== undefined && highest !== closedAt) {
        this.#trouble(channel, `it was to be closed at ${closedAt}, and has paid ${highest}`)
      }
    }
    const due = shop.servedToCheat.reduce((sum, { cost }) => sum + cost, 0n)
    if (claimed !== due) this.#options.troubles.push(`the cheat got ${due} and paid ${claimed}`)
  }

  get #price(): bigint {
    return this.#options.shop.price
  }

  #highest({ openBlock }: OwnChannel): bigint {
    return this.#options.shop.receiver.book.ledger(cheater, openBlock).claims.highest
  }

  #trouble({ openBlock }: OwnChannel, what: string): void {
    this.#options.troubles.push(`the cheat’s channel ${openBlock}: ${what}`)
  }

  async #try(channel: OwnChannel, cheat: Cheat): Promise<void> {
    const { kind, pick } = cheat
    this.tried.set(kind, (this.tried.get(kind) ?? 0) + 1)
    if (kind === 'close') return this.#close(channel, pick)
    if (kind === 'again') return this.#again()
    if (kind === 'race') return this.#race(channel, pick)
    const attempt = this.#attemptOf(channel, cheat)
    const isAbove = attempt.balance > this.#highest(channel)
    const status = await this.#send(channel, attempt)
    const isServed = status < 400
    // What is not above it has been proven by what came before.
    if (isServed && isAbove && attempt.proves === 'nothing') {
      this.#trouble(channel, `${kind}: ${attempt.balance} was served, and is not proven`)
    }
  }

  #attemptOf(channel: OwnChannel, { kind, pick }: Cheat): Attempt {
    const price = this.#price
    const base = this.#highest(channel)
    const balance = base + price
    const fresh = (given: Partial<Parameters<typeof commitTicks>[2]> = {}) =>
      this.#commit(channel, { base, ...given })
    const good = (proof: SentProof, at = balance): Attempt => {
      return { balance: at, proof, proves: 'something' }
    }
    const bad = (proof: SentProof, at = balance): Attempt => {
      return { balance: at, proof, proves: 'nothing' }
    }
    switch (kind) {
      case 'signature':
        return good({ signature: this.#sign(channel, balance) })
      case 'new commitment':
        return good(fresh({ ticks: [1, 2, 16, 256][Math.floor(pick * 4)] ?? 1 }).first(1))
      case 'below': {
        // Of a base that is proven already, or of one that nobody has paid up to.
        const from = pick < 0.5 ? base - (base / 2n / price) * price : base + 3n * price
        const ticks = this.#commit(channel, { base: from })
        const place = from > base ? 1 : Number((balance - from) / price)
        return place > 16 ? bad({}) : good(ticks.first(place), ticks.balance(place))
      }
      case 'ahead': {
        const { ticks, place } = this.#current(channel)
        const by = [1, 63, 64, 65, 200][Math.floor(pick * 5)] ?? 1
        const at = Math.min(place + by, ticks.commitment.ticks)
        return good(ticks.first(at), ticks.balance(at))
      }
      case 'lower': {
        const { ticks, place } = this.#current(channel)
        const at = Math.floor(pick * place)
        return bad(pick < 0.5 ? ticks.first(at) : ticks.proof(at), ticks.balance(at))
      }
      case 'neighbour': {
        const { ticks, place } = this.#current(channel)
        const at = pick < 0.5 || place >= ticks.commitment.ticks ? place - 1 : place + 1
        const { commitment } = ticks
        return { ...bad({ tick: ticks.word(at), commitment }, ticks.balance(place)) }
      }
      case 'other commitment': {
        const { ticks, place } = this.#current(channel)
        const other = this.#unsent(channel, { base: ticks.commitment.base })
        const { commitment } = pick < 0.7 ? ticks : other
        const tick = (pick < 0.7 ? other : ticks).word(Math.min(place, other.commitment.ticks))
        return bad({ tick, commitment }, ticks.balance(place))
      }
      case 'off the grid': {
        const { ticks, place } = this.#current(channel)
        return bad(ticks.first(place), ticks.balance(place) + 1n)
      }
      default:
        return this.#forgedOf(channel, { kind, pick })
    }
  }

  /** What the sender has not signed so, or what is not its own. */
  #forgedOf(channel: OwnChannel, { kind, pick }: Pick<Cheat, 'kind' | 'pick'>): Attempt {
    const price = this.#price
    const base = this.#highest(channel)
    const balance = base + price
    const bad = (proof: SentProof, at = balance): Attempt => {
      return { balance: at, proof, proves: 'nothing' }
    }
    const ticks = this.#unsent(channel, { base })
    const { commitment } = ticks
    switch (kind) {
      case 'other step':
        return bad(
          { tick: ticks.word(1), commitment: { ...commitment, step: price * 2n } },
          base + 2n * price,
        )
      case 'altered':
        return bad({ tick: ticks.word(1), commitment: altered(ticks, pick) })
      case 'other channel': {
        const other = this.#channels.find((each) => each !== channel) ?? channel
        return bad(this.#unsent(other, { base }).first(1))
      }
      case 'stranger': {
        const by = pick < 0.5 ? receiverKey : new SigningKey(id(`${pick}`)).privateKey
        return bad(commitTicks(channel, { domain, key: by }, { base, step: price }).first(1))
      }
      case 'stolen':
        return this.#stolen(pick) ?? bad({})
      case 'beyond the end': {
        const long = this.#unsent(channel, { base, ticks: 6 })
        const short = this.#unsent(channel, { base, ticks: 3, last: long.word(3) })
        const at = pick < 0.5 ? 4 : 6
        return bad({ tick: long.word(at), commitment: short.commitment }, long.balance(at))
      }
      case 'garbage':
        return bad({ tick: parseTickWord(id(`${pick}`)), ...(pick < 0.7 && { commitment }) })
      case 'zero':
        return bad({ tick: zero, commitment: { ...commitment, ...(pick < 0.5 && { root: zero }) } })
      case 'beside':
        return bad({ ...ticks.first(1), signature: this.#sign(channel, balance + 1n) })
      case 'over the deposit': {
        const from = cheaterDeposit - (cheaterDeposit % price)
        return bad(this.#unsent(channel, { base: from }).first(1), from + price)
      }
      case 'unbound':
        return { ...bad(ticks.first(1)), way: 'unbound' }
      default:
        return bad({})
    }
  }

  /** The tick of somebody else, as it was seen on its way. */
  #stolen(pick: number): Attempt | undefined {
    const seen = this.#options.attacker.exchanges.filter(
      ({ asked }) => field(asked, 'rdn-tick-commitment') !== '',
    )
    const asked = seen[Math.floor(pick * seen.length)]?.asked
    if (asked === undefined) return undefined
    const tick = parseTickWord(field(asked, 'rdn-tick'))
    const commitment = parseCommitment(field(asked, 'rdn-tick-commitment'))
    return {
      balance: BigInt(field(asked, 'rdn-balance')),
      proof: { tick, commitment },
      proves: 'nothing',
    }
  }

  #sign({ openBlock }: OwnChannel, balance: bigint) {
    return balanceProof({ ...{ domain, receiver, openBlock, balance, key }, form: 'eip712' })
  }

  #unsent(channel: OwnChannel, given: Partial<Parameters<typeof commitTicks>[2]>): Ticks {
    const last = id(`${this.#options.seed} ${this.#committed++}`)
    return commitTicks(channel, { domain, key }, { step: this.#price, ticks: 16, last, ...given })
  }

  #commit(channel: OwnChannel, given: Partial<Parameters<typeof commitTicks>[2]>): Ticks {
    const ticks = this.#unsent(channel, given)
    channel.commitments.push(ticks)
    return ticks
  }

  /** A commitment with a place that is not paid yet: the last one, or one that is new. */
  #current(channel: OwnChannel): { readonly ticks: Ticks; readonly place: number } {
    const base = this.#highest(channel)
    const last = channel.commitments.at(-1)
    const known = last && tickIndex(last.commitment, base)
    if (last && known !== undefined && known < last.commitment.ticks) {
      // Of a price that has changed since a place or two more.
      const more = (this.#price + last.commitment.step - 1n) / last.commitment.step
      const place = known + Number(more)
      if (place <= last.commitment.ticks) return { ticks: last, place }
    }
    return { ticks: this.#commit(channel, { base, ticks: 256 }), place: 1 }
  }

  async #send(channel: OwnChannel, { balance, proof, way }: Attempt): Promise<number> {
    const path = `/r/plain/${firstOfCheat + this.#asked++}`
    const bound = await this.#bind(channel)
    const headers =
      way === 'unbound'
        ? unboundFields(channel, balance, proof)
        : bound.payment(path, balance, proof, this.#price)
    this.#last = { path, headers }
    return this.#ask(path, headers)
  }

  /** Once, also for two requests at once. */
  #bind(channel: OwnChannel): Promise<BoundSender> {
    channel.bound ??= bindSender({ ...channel, domain, key, price: this.#price }, this.#origin)
    return channel.bound
  }

  get #origin(): string {
    return this.#options.shop.origin
  }

  async #ask(path: string, headers: HeaderFields): Promise<number> {
    const answer = await fetch(new URL(path, this.#origin), { headers })
    await answer.arrayBuffer()
    if (answer.status >= 500) {
      this.#options.troubles.push(`a cheat was answered with ${answer.status}`)
    }
    return answer.status
  }

  /** The very same request: its answer may come again, and it pays and gets nothing more. */
  async #again(): Promise<void> {
    if (this.#last !== undefined) await this.#ask(this.#last.path, this.#last.headers)
  }

  /** Two that are one place apart, or at the same, at once. */
  async #race(channel: OwnChannel, pick: number): Promise<void> {
    const { ticks, place } = this.#current(channel)
    const next = pick < 0.5 ? place : Math.min(place + 1, ticks.commitment.ticks)
    const attempts = [place, next].map((at): Attempt => {
      return { balance: ticks.balance(at), proof: ticks.first(at), proves: 'something' }
    })
    await Promise.all(attempts.map((each) => this.#send(channel, each)))
  }

  /** A balance that is not the highest is not agreed to. Nothing is paid after it. */
  async #close(channel: OwnChannel, pick: number): Promise<void> {
    if (pick > 0.3 || channel.closedAt !== undefined) return
    const highest = this.#highest(channel)
    if (highest === 0n) return
    try {
      await this.#options.shop.receiver.manager.agreeToClose(cheater, channel.openBlock, highest)
      channel.closedAt = highest
    } catch (error) {
      if (!isUraidenError(error)) throw error
    }
  }
}

const zero = parseTickWord(`0x${'00'.repeat(32)}`)

function altered({ commitment }: Ticks, pick: number): SignedCommitment {
  const changes: readonly Partial<SignedCommitment>[] = [
    { ticks: commitment.ticks + 1 },
    { root: parseTickWord(id('another root')) },
    { signature: commitment.signature.replace(/^0x../, '0x11') as SignedCommitment['signature'] },
  ]
  return { ...commitment, ...changes[Math.floor(pick * changes.length)] }
}

/** Ticks are for bound requests. */
function unboundFields(
  { openBlock }: OwnChannel,
  balance: bigint,
  { tick, commitment }: SentProof,
): HeaderFields {
  const signature = `0x${'11'.repeat(64)}1b` as SignedCommitment['signature']
  const { 'RDN-Balance-Signature': _, ...fields } = formatPayment({
    ...{ sender: cheater, receiver, contract, openBlock, balance, signature },
  })
  return {
    ...fields,
    'RDN-Tick': `${tick}`,
    ...(commitment && {
      'RDN-Tick-Commitment': [
        ...[commitment.base, commitment.step, commitment.ticks],
        ...[commitment.root, commitment.signature],
      ].join(' '),
    }),
  }
}
