// Replies that are kept for a while, so that a paid request whose answer was lost can be repeated
// (wire-protocol.md section 8, idempotency).

import { createHash } from 'node:crypto'
import { type MonotonicClock, steadyTime } from '../../platform/time/monotonic.ts'
import type { OfferedPayment } from '../channels/manager.ts'
import type { Unanswered } from '../channels/records.ts'
import type { KeptReply, Reply, ReplyDisk, ReplyId, SeenContent } from '../channels/store.ts'
import type { RequestView } from './dialect.ts'

export interface ReplyLimits {
  /** How long a reply is kept, in milliseconds. */
  readonly lifetime: number
  /** Bodies of all replies together, in bytes. */
  readonly mostBytes: number
  /** One body in memory, in bytes. */
  readonly largestBody: number
  /** One body that is kept over a restart, in bytes. */
  readonly largestOnDisk: number
}

export const defaultReplyLimits: ReplyLimits = {
  lifetime: 600_000,
  mostBytes: 16 << 20,
  largestBody: 1 << 20,
  largestOnDisk: 4096,
}

/** What a reply weighs beside its body: headers, id, bookkeeping. So empty bodies are bounded too. */
const overhead = 1024

/** What of a request's content is known while it is still read. */
export interface RequestContent {
  readonly seen: () => SeenContent
  /** Of a repetition: whether it says the same. It may have to be read for that. */
  readonly isLike: (kept: SeenContent) => Promise<boolean>
}

/** A reply, and what it answered. */
export interface Answered extends Reply {
  readonly content: SeenContent | 'none'
}

export type Turn =
  | { readonly kind: 'kept'; readonly reply: KeptReply }
  /** It is ours to answer; one of `finish` and `pass` must be called. */
  | {
      readonly kind: 'ours'
      /** It has paid; without a reply when there is none to keep. */
      readonly finish: (reply?: Answered) => Promise<void>
      /** It has not paid. */
      readonly pass: () => Promise<void>
      /** Unix time in milliseconds until which the request can be repeated. */
      readonly expires: number
      /** It has paid already, and the process ended before it was answered. */
      readonly earlier: Unanswered | undefined
    }

/** Where a small reply is kept. What is only in memory is gone after a restart. */
export type Keeping = 'disk' | 'memory'

export interface Replies {
  /** Waits for a request with the same id that is being answered. */
  readonly take: (id: ReplyId, keeping?: Keeping) => Promise<Turn>
  readonly room: ReplyRoom
}

/** For bodies that are collected while they flow, of all replies together. */
export interface ReplyRoom {
  /** A longer body is not kept, in bytes. */
  readonly largest: number
  /** False when there is no room for so many bytes more. */
  readonly take: (bytes: number) => boolean
  readonly give: (bytes: number) => void
}

export function createReplyRoom({
  largestBody: largest,
  mostBytes,
}: Pick<ReplyLimits, 'largestBody' | 'mostBytes'>): ReplyRoom {
  let left = mostBytes
  return {
    largest,
    take: (bytes) => {
      if (bytes > left) return false
      left -= bytes
      return true
    },
    give: (bytes) => {
      left += bytes
    },
  }
}

export function replyId(request: RequestView, payment: OfferedPayment, key: string): ReplyId {
  const { sender, openBlock, balance, signature } = payment
  const parts = [request.method, request.url, key, sender, openBlock, `${balance}`, signature]
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url')
}

/** Whether a request asks for what this reply was the answer to; method, target and payment are in its id. */
export async function isAnswerTo(
  { content: kept }: KeptReply,
  content: RequestContent | undefined,
): Promise<boolean> {
  if (kept === undefined) return true
  if (content === undefined || kept === 'none') return content === undefined && kept === 'none'
  return content.isLike(kept)
}

interface RepliesState {
  readonly disk: ReplyDisk
  readonly limits: ReplyLimits
  readonly now: () => number
  /** In the order of their time: the first one is the oldest. */
  readonly kept: Map<ReplyId, KeptReply>
  /** Of those that are kept: only these cost a write when they go. */
  readonly onDisk: Set<ReplyId>
  readonly unanswered: Map<ReplyId, Unanswered>
  readonly underWay: Map<ReplyId, Promise<void>>
  /** Weight of all that are kept. */
  bytes: number
}

export async function openReplies(
  disk: ReplyDisk,
  limits: ReplyLimits = defaultReplyLimits,
  now: MonotonicClock = steadyTime,
): Promise<Replies> {
  const kept = new Map([...(await disk.load())].sort(([, a], [, b]) => a.expires - b.expires))
  const bytes = [...kept.values()].reduce((sum, reply) => sum + weight(reply), 0)
  const unanswered = new Map(await disk.unanswered())
  const onDisk = new Set(kept.keys())
  const state = { disk, limits, now, kept, onDisk, unanswered, underWay: new Map(), bytes }
  await forget(state, surplus(state))
  await forgetUnanswered(state)
  return {
    room: createReplyRoom(limits),
    take: (id, keeping = 'disk') => take(state, id, keeping),
  }
}

async function take(state: RepliesState, id: ReplyId, keeping: Keeping): Promise<Turn> {
  for (;;) {
    const reply = state.kept.get(id)
    if (reply !== undefined && reply.expires > state.now()) return { kind: 'kept', reply }
    const other = state.underWay.get(id)
    if (other === undefined) return begin(state, id, keeping)
    await other
  }
}

function begin(state: RepliesState, id: ReplyId, keeping: Keeping): Turn {
  const { disk, limits, now, unanswered, underWay } = state
  let done: () => void = () => undefined
  underWay.set(id, new Promise((resolve) => (done = resolve)))
  let ended = false
  const end = async (work: () => Promise<void>): Promise<void> => {
    if (ended) return
    ended = true
    try {
      await work()
    } finally {
      underWay.delete(id)
      done()
    }
  }
  const earlier = unanswered.get(id)
  return {
    kind: 'ours',
    expires: now() + limits.lifetime,
    earlier: isLive(state, earlier) ? earlier : undefined,
    finish: (reply) =>
      end(async () => {
        unanswered.delete(id)
        if (keeping === 'memory') await remember(state, id, reply)
        else if (reply === undefined) await disk.answered([id])
        else await keep(state, id, reply)
      }),
    // Whoever has not paid must not make the disk work.
    pass: () => end(async () => undefined),
  }
}

async function remember(
  state: RepliesState,
  id: ReplyId,
  reply: Answered | undefined,
): Promise<void> {
  const { limits, now, kept } = state
  if (reply === undefined || reply.body.length > limits.largestBody) return
  const timed = { ...reply, expires: now() + limits.lifetime }
  kept.set(id, timed)
  state.bytes += weight(timed)
  await forget(state, surplus(state))
}

async function keep(state: RepliesState, id: ReplyId, reply: Answered): Promise<void> {
  const { disk, limits, now, onDisk } = state
  const timed = { ...reply, expires: now() + limits.lifetime }
  if (reply.body.length <= limits.largestOnDisk) {
    await disk.save(id, timed)
    onDisk.add(id)
  } else await disk.answered([id])
  await remember(state, id, reply)
}

/** Too old, or too many: the oldest go first. */
function surplus({ kept, bytes, limits, now }: RepliesState): readonly ReplyId[] {
  const ids: ReplyId[] = []
  let left = bytes
  for (const [id, reply] of kept) {
    if (reply.expires > now() && left <= limits.mostBytes) break
    left -= weight(reply)
    ids.push(id)
  }
  return ids
}

async function forget(state: RepliesState, ids: readonly ReplyId[]): Promise<void> {
  const { disk, kept, onDisk } = state
  for (const id of ids) {
    state.bytes -= weight(kept.get(id))
    kept.delete(id)
  }
  const written = ids.filter((id) => onDisk.delete(id))
  if (written.length > 0) await disk.remove(written)
}

async function forgetUnanswered(state: RepliesState): Promise<void> {
  const { unanswered, disk } = state
  const over = [...unanswered].flatMap(([id, each]) => (isLive(state, each) ? [] : [id]))
  for (const id of over) unanswered.delete(id)
  if (over.length > 0) await disk.answered(over)
}

function isLive({ now }: RepliesState, earlier: Unanswered | undefined): boolean {
  return earlier !== undefined && earlier.expires > now()
}

function weight(reply: Reply | undefined): number {
  return reply === undefined ? 0 : reply.body.length + overhead
}
