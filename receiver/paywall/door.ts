// The door: whether a request is bound, and to what. Whoever comes in bound is known to be the channel's
// sender, and has said exactly this; everything else comes in as a stranger.
import { createHash } from 'node:crypto'
import { hmac } from '../../platform/keys/bound.ts'
import {
  answerId,
  type BoundKeys,
  type BoundRefusal,
  boundRefusal,
  type ClaimedRequest,
  equalBytes,
  parseAudience,
  parseBoundRequest,
  type Receipt,
  type RequestMessage,
  type VerifiedRequest,
  verifyRequest,
} from '../../protocol/bound/index.ts'
import { isUraidenError, type TokenAmount } from '../../protocol/index.ts'
import type { ChannelId } from '../channels/book.ts'
import type { BoundRequest, ChannelKeys } from '../channels/request-keys.ts'
import { createTickets, type Tickets } from './tickets.ts'

/** A request whose MAC was right: its answer is signed, whatever it says. */
export interface Exchange {
  readonly request: BoundRequest
  readonly keys: BoundKeys
}

export type Entrance =
  | { readonly kind: 'unbound' }
  | ({ readonly kind: 'bound' } & Exchange)
  /** It cannot be checked, or not by these keys. The answer is not signed. */
  | { readonly kind: 'refused'; readonly refusal: BoundRefusal }

/** What of an exchange its receipt is kept under. */
export interface Answered extends Pick<Exchange, 'keys'> {
  readonly request: Pick<VerifiedRequest, 'mac'>
}

/** What answers that came later turned out to be, for their channels only. */
export interface Receipts {
  readonly put: (exchange: Answered, receipt: Receipt) => void
  /** Waits for what is being charged: whoever has seen an answer break off asks at once. */
  readonly get: (keys: BoundKeys, id: string) => Promise<Receipt | undefined>
  /**
   * It costs something else in the end than its head could say, when this resolves: counts before and after
   * `put`. A charge that fails changes nothing.
   */
  readonly charging: (exchange: Answered, cost: Promise<TokenAmount>) => void
}

export interface Door {
  readonly enter: (message: RequestMessage) => Entrance | Promise<Entrance>
  /** The same by keys that the channel does not have yet. */
  readonly enterWith: (message: RequestMessage, keys: ChannelKeys) => Entrance
  /** Before the path that a server sees: what a proxy has taken away. */
  readonly publicPath: string
  /** Of an answer, in bytes, before it is sent without its digest. */
  readonly collect: number
  readonly receipts: Receipts
  readonly tickets: Tickets
}

export interface DoorOptions {
  readonly find: (channel: ChannelId) => ChannelKeys | undefined
  /** Those that it has now, where others may have put them; asked when those that are known do not fit. */
  readonly ask?: ((channel: ChannelId) => Promise<ChannelKeys | undefined>) | undefined
  readonly origins?: readonly string[] | undefined
  readonly publicPath?: string | undefined
  readonly collect?: number | undefined
  /** Milliseconds that only grow. */
  readonly now?: (() => number) | undefined
}

const defaultCollect = 64 << 10

export function createDoor(options: DoorOptions): Door {
  const { find, ask, origins, publicPath = '', collect = defaultCollect, now } = options
  const enterBy = (claimed: ClaimedRequest, keys: ChannelKeys | undefined): Entrance => {
    const verified = verifyRequest(claimed, keys, { origins, hmac })
    if (!verified.ok) return refused(verified.code, verified.detail)
    if (keys === undefined) return refused('request_key_unknown')
    return { kind: 'bound', request: { ...verified.value, keyNumber: keys.number }, keys }
  }
  const enter = <Found extends Entrance | Promise<Entrance>>(
    message: RequestMessage,
    by: (claimed: ClaimedRequest) => Found,
  ): Entrance | Found => {
    const claimed = parseBoundRequest(message)
    if (claimed === undefined) return { kind: 'unbound' } as const
    return claimed.ok ? by(claimed.value) : refused('request_altered', claimed.detail)
  }
  return {
    enter: (message) =>
      enter(message, (claimed) => {
        const channel = channelOf(claimed)
        const entrance = enterBy(claimed, channel && find(channel))
        if (ask === undefined || channel === undefined || !lacksKey(entrance)) return entrance
        return ask(channel).then((keys) => (keys ? enterBy(claimed, keys) : entrance))
      }),
    enterWith: (message, keys) => enter(message, (claimed) => enterBy(claimed, keys)),
    ...{ publicPath, collect },
    receipts: createReceipts(now),
    tickets: createTickets(now),
  }
}

function lacksKey(entrance: Entrance): boolean {
  return entrance.kind === 'refused' && entrance.refusal.code === 'request_key_unknown'
}

/** Keys are found by what the request says of itself; that it is theirs is checked with the MAC. */
function channelOf({ covered }: ClaimedRequest): ChannelId | undefined {
  try {
    return parseAudience(covered)
  } catch (error) {
    if (isUraidenError(error)) return undefined
    throw error
  }
}

function refused(code: BoundRefusal['code'], detail?: string): Entrance {
  return { kind: 'refused', refusal: boundRefusal(code, detail) }
}

/** Whether the content is what the request covers; all of it is there. */
export function isContentOf({ contentDigest }: VerifiedRequest, content: Uint8Array): boolean {
  if (contentDigest === undefined) return content.length === 0
  return equalBytes(createHash('sha256').update(content).digest(), contentDigest)
}

const mostReceipts = 64
/** In milliseconds. */
const receiptLifetime = 600_000

interface KeptReceipt {
  readonly exchange: Answered
  readonly receipt: Receipt
  readonly expires: number
}

function createReceipts(now: () => number = () => performance.now()): Receipts {
  /** They go with the channel's keys; the oldest first. */
  const kept = new WeakMap<BoundKeys, Map<string, KeptReceipt>>()
  const costs = new WeakMap<Answered, Promise<TokenAmount | undefined>>()
  return {
    put: (exchange, receipt) => {
      const { request, keys } = exchange
      const own = kept.get(keys) ?? new Map<string, KeptReceipt>()
      kept.set(keys, own)
      own.set(answerId(request.mac), { exchange, receipt, expires: now() + receiptLifetime })
      for (const [id, { expires }] of own) {
        if (own.size <= mostReceipts && expires > now()) break
        own.delete(id)
      }
    },
    get: async (keys, id) => {
      const found = kept.get(keys)?.get(id)
      if (found === undefined || found.expires <= now()) return undefined
      const { receipt, exchange } = found
      return { ...receipt, cost: (await costs.get(exchange)) ?? receipt.cost }
    },
    charging: (exchange, cost) => {
      const before = costs.get(exchange)
      const failed = () => before
      costs.set(exchange, cost.catch(failed))
    },
  }
}
