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
import { createTickets, type Tickets } from './tickets.ts'

/** A request whose MAC was right: its answer is signed, whatever it says. */
export interface Exchange {
  readonly request: VerifiedRequest
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
  readonly enter: (message: RequestMessage) => Entrance
  /** The same by keys that the channel does not have yet. */
  readonly enterWith: (message: RequestMessage, keys: BoundKeys) => Entrance
  /** Before the path that a server sees: what a proxy has taken away. */
  readonly publicPath: string
  /** Of an answer, in bytes, before it is sent without its digest. */
  readonly collect: number
  readonly receipts: Receipts
  readonly tickets: Tickets
}

export interface DoorOptions {
  readonly find: (channel: ChannelId) => BoundKeys | undefined
  readonly origins?: readonly string[] | undefined
  readonly publicPath?: string | undefined
  readonly collect?: number | undefined
  /** Milliseconds that only grow. */
  readonly now?: (() => number) | undefined
}

const defaultCollect = 64 << 10

export function createDoor(options: DoorOptions): Door {
  const { find, origins, publicPath = '', collect = defaultCollect, now } = options
  const enter = (
    message: RequestMessage,
    keysOf: (claimed: ClaimedRequest) => BoundKeys | undefined,
  ): Entrance => {
    const claimed = parseBoundRequest(message)
    if (claimed === undefined) return { kind: 'unbound' } as const
    if (!claimed.ok) return refused('request_altered', claimed.detail)
    const keys = keysOf(claimed.value)
    const verified = verifyRequest(claimed.value, keys, { origins, hmac })
    if (!verified.ok) return refused(verified.code, verified.detail)
    return keys === undefined
      ? refused('request_key_unknown')
      : ({ kind: 'bound', request: verified.value, keys } as const)
  }
  return {
    enter: (message) => enter(message, ({ covered }) => keysFor(covered, find)),
    enterWith: (message, keys) => enter(message, () => keys),
    ...{ publicPath, collect },
    receipts: createReceipts(now),
    tickets: createTickets(now),
  }
}

/** Keys are found by what the request says of itself; that it is theirs is checked with the MAC. */
function keysFor(
  covered: ClaimedRequest['covered'],
  find: DoorOptions['find'],
): BoundKeys | undefined {
  try {
    return find(parseAudience(covered))
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
