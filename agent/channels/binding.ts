// Ties channels to request keys. Before the first payment on a channel the receiver has confirmed our key, in
// an answer that nobody else could have made; from then on the channel pays bound only.

import { setTimeout } from 'node:timers/promises'
import { steadyTime } from '../../platform/time/monotonic.ts'
import {
  parseReceiverKey,
  type ReceiverKey,
  requestKeyDigest,
  type SignedReceiverKey,
  serializeRequestKey,
  verifyReceiverKey,
} from '../../protocol/bound/index.ts'
import {
  type Address,
  type ChannelId,
  type ContractBlock,
  type HeaderSource,
  headerName,
  isShownProof,
  isUraidenError,
  parseShownProof,
  parseUint192,
  type ShownProof,
  type SignatureDomain,
  type Signer,
  type TokenAmount,
  type UraidenError,
} from '../../protocol/index.ts'
import { agentError } from '../errors/index.ts'
import { type BoundChannel, sendBound } from '../transport/bound.ts'
import { mostApiAnswer, type OpenAnswer, type Transport } from '../transport/transport.ts'
import { type ChannelWork, isOnChain } from './closing-alone.ts'
import { type ChannelName, isNew } from './records.ts'
import { createRequestKeys, type RequestKeys } from './request-keys.ts'

/**
 * require   pay bound only
 * prefer    pay unbound where the receiver has never offered to be paid bound
 * off       begin nothing bound; channels that are bound stay so
 */
export type BoundPolicy = 'require' | 'prefer' | 'off'

/**
 * Where nothing else is said, by the version of the contract, which the chain names: the original's programs,
 * on 0.2, know nothing of it. While the version is not known nobody is paid unbound.
 */
export function defaultBound(contractVersion: string | undefined): BoundPolicy {
  return contractVersion?.startsWith('0.2.') ? 'prefer' : 'require'
}

/** Where a receiver is asked. */
export interface Place {
  readonly receiver: Address
  /** What is bought. */
  readonly url: URL
  /** Root of the receiver's channel API. */
  readonly api: URL
  readonly signal?: AbortSignal | undefined
  /** Stricter for this request than the receiver's own. */
  readonly policy?: 'require' | undefined
}

/** How a channel may pay. */
export type Readiness =
  | { readonly kind: 'bound'; readonly channel: BoundChannel }
  | { readonly kind: 'unbound' }
  /** The chain does not know it any more. */
  | { readonly kind: 'gone' }

/** Where a channel stands, by the sender's own signature, or a tick of its commitment; none under zero. */
export interface Stand {
  readonly senderBalance: TokenAmount
  readonly signature?: ShownProof
}

export interface Bindings {
  /** What is known without asking anybody; undefined where the receiver has to be asked first. */
  readonly known: (
    channel: ChannelName,
    place: Omit<Place, 'api'>,
  ) => 'bound' | 'unbound' | undefined
  /**
   * Before money is locked in a channel: whether the receiver can be paid as the policy wants it.
   * @throws UraidenError `binding_refused`, `receiver_key_untrusted`, those of the transport
   */
  readonly checkOffer: (place: Place) => Promise<void>
  /**
   * Has the channel bound and its balance certain, or says that it pays unbound. Nothing else may be on the
   * channel unless it is known.
   * @throws UraidenError those of `checkOffer`; `answer_lost`: the binding is not confirmed;
   * `request_key_replaced`, `channel_unconfirmed`, `balance_unproven`
   */
  readonly ensure: (channel: ChannelName, place: Place) => Promise<Readiness>
  readonly confirmed: (channel: ChannelName, api: URL) => BoundChannel | undefined
  /**
   * The receiver could not check our signature: puts the key again.
   * @throws UraidenError `traffic_altered` when that was done a moment ago, and those of `ensure`
   */
  readonly renew: (channel: ChannelName, place: Place) => Promise<BoundChannel>
  /** Asks where the channel stands. Its proof is not checked yet. */
  readonly stand: (channel: ChannelName, api: URL) => Promise<Stand>
}

export interface BindingOptions {
  readonly work: ChannelWork
  readonly signer: Signer
  readonly domain: SignatureDomain
  readonly transport: Transport
  readonly policy: (place: Pick<Place, 'url' | 'receiver'>) => BoundPolicy
  /** Between two tries while the receiver does not see the channel, in milliseconds. */
  readonly retryInterval: number
  /** How long it may take to see it, in milliseconds. */
  readonly confirmTimeout: number
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number
  /** Milliseconds since 1970, of a clock that may be set: what was said before a restart is dated by it. */
  readonly wallClock?: () => number
}

/** In milliseconds. */
const betweenRenewals = 60_000
/** For so long a receiver that offers nothing is not asked again, by later processes neither. */
const notOfferedFor = 3_600_000

export function createBindings(options: BindingOptions): Bindings {
  return new ChannelBindings(options)
}

class ChannelBindings implements Bindings {
  readonly #options: BindingOptions
  readonly #keys: RequestKeys
  readonly #now: () => number
  readonly #wallClock: () => number
  /** Shown in this process. */
  readonly #offers = new Map<Address, ReceiverKey>()
  readonly #renewed = new Map<ChannelName, number>()
  readonly #renewing = new Map<ChannelName, Promise<BoundChannel>>()

  constructor(options: BindingOptions) {
    this.#options = options
    this.#keys = createRequestKeys(options.work.ledger.notes, options.domain)
    this.#now = options.now ?? (() => performance.now())
    this.#wallClock = options.wallClock ?? steadyTime
  }

  known(name: ChannelName, place: Omit<Place, 'api'>): 'bound' | 'unbound' | undefined {
    if (this.#keys.confirmed(this.#channel(name)) !== undefined) return 'bound'
    return this.#paysUnbound(place) ? 'unbound' : undefined
  }

  async checkOffer(place: Place): Promise<void> {
    if (!this.#paysUnbound(place)) await this.#offer(place)
  }

  async ensure(name: ChannelName, place: Place): Promise<Readiness> {
    const { ledger } = this.#options.work
    const bound = this.confirmed(name, place.api)
    if (bound !== undefined) {
      if (!ledger.get(name).certain) await this.#learn(name, await this.stand(name, place.api))
      return { kind: 'bound', channel: bound }
    }
    if (this.#paysUnbound(place)) return { kind: 'unbound' }
    const offer = await this.#offer(place)
    if (offer === undefined) return { kind: 'unbound' }
    return this.#bind(name, place, offer)
  }

  confirmed(name: ChannelName, api: URL): BoundChannel | undefined {
    const keys = this.#keys.confirmed(this.#channel(name))
    return keys && { keys, api }
  }

  renew(name: ChannelName, place: Place): Promise<BoundChannel> {
    const running = this.#renewing.get(name)
    if (running !== undefined) return running
    const renewing = this.#renew(name, place).finally(() => this.#renewing.delete(name))
    this.#renewing.set(name, renewing)
    return renewing
  }

  async stand(name: ChannelName, api: URL): Promise<Stand> {
    const bound = this.confirmed(name, api)
    if (bound === undefined) throw new Error(`the channel ${name} is not bound`)
    const { answer } = await this.#put(name, bound)
    if (answer?.status !== 200) throw notBound(bound, answer?.status ?? 404)
    return standOf(answer.header)
  }

  async #renew(name: ChannelName, place: Place): Promise<BoundChannel> {
    const last = this.#renewed.get(name)
    if (last !== undefined && this.#now() - last < betweenRenewals) throw trafficAltered(place.url)
    this.#renewed.set(name, this.#now())
    this.#offers.delete(place.receiver)
    const offer = await this.#offer(place)
    if (offer === undefined) throw offerHidden(place)
    const ready = await this.#bind(name, place, offer)
    if (ready.kind !== 'bound') throw trafficAltered(place.url)
    return ready.channel
  }

  /** Never where the receiver has once offered more: whoever strips that off must gain nothing by it. */
  #paysUnbound(place: Omit<Place, 'api'>): boolean {
    const { receiver } = place
    const policy = this.#policyOf(place)
    if (policy === 'off') return true
    if (policy === 'require' || this.#keys.ofReceiver(receiver) !== undefined) return false
    const said = this.#keys.offeredNothing(receiver)
    const ago = said === undefined ? Number.POSITIVE_INFINITY : this.#wallClock() - said
    return ago >= 0 && ago < notOfferedFor
  }

  #policyOf(place: Omit<Place, 'api'>): BoundPolicy {
    return place.policy ?? this.#options.policy(place)
  }

  /** The receiver's key; undefined when it offers none and need not. */
  async #offer(place: Place): Promise<ReceiverKey | undefined> {
    const { receiver, api, url, signal } = place
    const before = this.#offers.get(receiver)
    if (before !== undefined) return before
    const answer = await this.#options.transport.send({
      ...{ method: 'GET', url: below(api, 'request-key'), headers: { accept: 'application/json' } },
      mostBody: mostApiAnswer,
      ...(signal && { signal }),
    })
    const signed = readOffer(answer.status, await answer.body())
    const known = this.#keys.ofReceiver(receiver)
    if (signed === undefined) {
      if (known !== undefined || this.#policyOf(place) !== 'prefer') {
        throw known === undefined ? notOffered(place) : offerHidden(place)
      }
      this.#keys.rememberNoOffer(receiver, this.#wallClock())
      return
    }
    const block = await this.#newestBlock()
    const { domain } = this.#options
    const verified = verifyReceiverKey(signed, { domain, receiver, block, known })
    if (!verified.ok) throw receiverKeyUntrusted(url, verified.detail)
    if (known?.number !== signed.number) {
      await this.#keys.rememberReceiver(receiver, verified.value)
    }
    this.#offers.set(receiver, verified.value)
    return verified.value
  }

  async #bind(name: ChannelName, place: Place, offer: ReceiverKey): Promise<Readiness> {
    const channel = this.#channel(name)
    const before = this.#keys.confirmed(channel)
    try {
      return await this.#putOwnKey(name, place, offer)
    } catch (error) {
      // A ledger that was lost may have made a key in this very block. One that was confirmed is replaced
      // by another program.
      if (before !== undefined || !isUraidenError(error, 'request_key_replaced')) throw error
      await this.#keys.replaceOwn(channel, BigInt(await this.#newestBlock()) + 1n)
      return this.#putOwnKey(name, place, offer)
    }
  }

  async #putOwnKey(name: ChannelName, place: Place, offer: ReceiverKey): Promise<Readiness> {
    const channel = this.#channel(name)
    const own = await this.#keys.own(channel, async () => BigInt(await this.#newestBlock()))
    const bound = { keys: this.#keys.derive(channel, own, offer.key), api: place.api }
    const answer = await this.#putUntilSeen(name, bound, place)
    if (answer === undefined) return { kind: 'gone' }
    const stand = standOf(answer.header)
    if (!this.#options.work.ledger.get(name).certain) await this.#learn(name, stand)
    await this.#keys.confirm(bound.keys)
    return { kind: 'bound', channel: bound }
  }

  /** The receiver has to see the channel on the chain too. Undefined when nobody will see it any more. */
  async #putUntilSeen(
    name: ChannelName,
    bound: BoundChannel,
    { signal, url }: Place,
  ): Promise<OpenAnswer | undefined> {
    const { retryInterval, confirmTimeout, work } = this.#options
    const giveUp = this.#now() + confirmTimeout
    let asked = isNew(work.ledger.get(name))
    for (;;) {
      const { answer } = await this.#put(name, bound, signal)
      if (answer?.status === 200) return answer
      if (answer !== undefined && answer.status !== 404) throw notBound(bound, answer.status)
      if (!asked && !(await isOnChain(work, name))) return
      asked = true
      if (this.#now() > giveUp) {
        // The chain may have taken the opening back.
        if (await isOnChain(work, name)) throw notSeen(url)
        return
      }
      // An aborted wait ends with the next request.
      await setTimeout(retryInterval, undefined, { signal }).catch(() => undefined)
    }
  }

  /** Without an answer that is the receiver's, when it may be that it does not see the channel. */
  async #put(
    name: ChannelName,
    bound: BoundChannel,
    signal?: AbortSignal,
  ): Promise<{ readonly answer: OpenAnswer | undefined }> {
    const { transport, signer, domain } = this.#options
    const channel = this.#channel(name)
    const { publicKey: key, number } = await this.#keys.own(channel, async () => 0n)
    const message = { key, number, receiver: channel.receiver, openBlock: channel.openBlock }
    const signature = await signer.sign(requestKeyDigest(domain, message))
    const reply = await sendBound(
      transport,
      {
        method: 'PUT',
        url: below(bound.api, `channels/${channel.sender}/${channel.openBlock}/request-key`),
        headers: { accept: 'application/json', 'content-type': 'application/json' },
        body: serializeRequestKey({ key, number, signature }),
        mostBody: mostApiAnswer,
        ...(signal && { signal }),
      },
      bound,
    )
    if (reply.kind === 'authentic') {
      await reply.answer.body()
      return { answer: reply.answer }
    }
    if (reply.status === 404) return { answer: undefined }
    if (reply.code === 'request_key_replaced') throw keyReplaced(name)
    throw reply.error
  }

  async #learn(name: ChannelName, stand: Stand): Promise<void> {
    const { ledger } = this.#options.work
    const { senderBalance: balance, signature } = stand
    const channel = this.#channel(name)
    const { domain } = this.#options
    const proven =
      balance === 0n ||
      (signature !== undefined && isShownProof(domain, channel, { balance, proof: signature }))
    if (!proven) throw unprovenStand(channel.receiver, balance)
    await ledger.correct(name, balance)
  }

  /** Of the chain, or, while it is away, the highest block that is known to have been. */
  async #newestBlock(): Promise<ContractBlock> {
    const { ledger, chain } = this.#options.work
    try {
      return (await (await chain()).client.head()).contractBlock
    } catch {
      return Math.max(0, ...ledger.channels().map(({ openBlock }) => openBlock))
    }
  }

  #channel(name: ChannelName): ChannelId {
    const { ledger, own: sender } = this.#options.work
    const { receiver, openBlock } = ledger.get(name)
    return { sender, receiver, openBlock }
  }
}

function below(api: URL, path: string): URL {
  return new URL(`${api.pathname}/${path}`, api)
}

/** Whatever a receiver says that knows nothing of this: it offers nothing. */
function readOffer(status: number, body: Uint8Array): SignedReceiverKey | undefined {
  if (status !== 200) return undefined
  try {
    return parseReceiverKey(new TextDecoder().decode(body))
  } catch {
    return undefined
  }
}

/** Of fields that the receiver has signed. */
function standOf(covered: HeaderSource): Stand {
  const signature = covered(headerName.signature)
  return {
    senderBalance: parseUint192(covered(headerName.senderBalance) ?? '0'),
    ...(signature !== undefined && { signature: parseShownProof(signature) }),
  }
}

function notOffered({ url, receiver }: Place): UraidenError {
  return agentError({
    code: 'binding_refused',
    message: `The receiver ${receiver} at ${url.origin} does not offer bound requests, or somebody between hides its offer.`,
    hint: 'Nothing was signed. To pay it unbound, set receivers.NAME.bound: prefer in agent.yaml (in the library bound: prefer). On plain HTTP whoever listens can then spend what is paid, or change the answer.',
  })
}

/** Whoever strips the offer off must gain nothing by it. */
function offerHidden({ url, receiver }: Place): UraidenError {
  return agentError({
    code: 'binding_refused',
    message: `The receiver ${receiver} at ${url.origin} has offered bound requests before and does not now: somebody between may hide its offer.`,
    hint: 'Nothing was signed. Ask its owner. With receivers.NAME.bound: off (in the library bound: off) it is paid unbound all the same, on channels that were never bound.',
  })
}

function receiverKeyUntrusted({ origin }: URL, detail: string): UraidenError {
  return agentError({
    code: 'receiver_key_untrusted',
    message: `The request key that ${origin} shows cannot be trusted. ${detail}`,
  })
}

function trafficAltered({ origin }: URL): UraidenError {
  return agentError({
    code: 'traffic_altered',
    message: `${origin} says again that our signature does not fit, though it has our key: somebody between alters the traffic.`,
  })
}

function keyReplaced(name: ChannelName): UraidenError {
  return agentError({
    code: 'request_key_replaced',
    message: `The receiver has a newer request key for the channel ${name} than we have.`,
  })
}

function notBound({ api }: BoundChannel, status: number): UraidenError {
  return agentError({
    code: 'binding_refused',
    message: `The receiver at ${api.origin} does not take our request key (${status}).`,
    hint: 'Nothing was signed. Look at the receiver’s log.',
  })
}

function notSeen({ origin }: URL): UraidenError {
  return agentError({
    code: 'channel_unconfirmed',
    message: `The receiver at ${origin} has not seen our channel in time.`,
    hint: 'Nothing was signed. Try again when more blocks are mined.',
  })
}

function unprovenStand(receiver: Address, balance: TokenAmount): UraidenError {
  return agentError({
    code: 'balance_unproven',
    message: `The receiver ${receiver} says the channel stands at ${balance}, without our signature under it.`,
  })
}
