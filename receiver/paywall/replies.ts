// Replies that are kept for a while, so that a paid request whose answer was lost can be repeated
// (wire-protocol.md section 8, idempotency).
import { createHash } from 'node:crypto'
import type { Payment } from '../../protocol/index.ts'
import type { Unanswered } from '../channels/records.ts'
import type { KeptReply, Reply, ReplyDisk, ReplyId } from '../channels/store.ts'
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

export type Turn =
  | { readonly kind: 'kept'; readonly reply: Reply }
  /** It is ours to answer; one of `finish` and `pass` must be called. */
  | {
      readonly kind: 'ours'
      /** It has paid; without a reply when there is none to keep. */
      readonly finish: (reply?: Reply) => Promise<void>
      /** It has not paid. */
      readonly pass: () => Promise<void>
      /** Unix time in milliseconds until which the request can be repeated. */
      readonly expires: number
      /** It has paid already, and the process ended before it was answered. */
      readonly earlier: Unanswered | undefined
    }

export interface Replies {
  /** Waits for a request with the same id that is being answered. */
  readonly take: (id: ReplyId) => Promise<Turn>
  readonly largestBody: number
}

export function replyId(request: RequestView, payment: Payment, key: string): ReplyId {
  const { sender, openBlock, balance, signature } = payment
  const parts = [request.method, request.url, key, sender, openBlock, `${balance}`, signature]
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url')
}

export async function openReplies(
  disk: ReplyDisk,
  limits: ReplyLimits = defaultReplyLimits,
  now: () => number = Date.now,
): Promise<Replies> {
  // In the order of their time: the first one is the oldest.
  const kept = new Map<ReplyId, KeptReply>()
  const underWay = new Map<ReplyId, Promise<void>>()
  let bytes = 0

  function forget(ids: readonly ReplyId[]): Promise<void> {
    for (const id of ids) {
      bytes -= weight(kept.get(id))
      kept.delete(id)
    }
    return ids.length === 0 ? Promise.resolve() : disk.remove(ids)
  }

  function isLive(earlier: Unanswered | undefined): boolean {
    return earlier !== undefined && earlier.expires > now()
  }

  function surplus(): readonly ReplyId[] {
    const ids: ReplyId[] = []
    let left = bytes
    for (const [id, reply] of kept) {
      if (reply.expires > now() && left <= limits.mostBytes) break
      left -= weight(reply)
      ids.push(id)
    }
    return ids
  }

  async function keep(id: ReplyId, reply: Reply): Promise<void> {
    if (reply.body.length > limits.largestBody) return disk.answered([id])
    const timed = { ...reply, expires: now() + limits.lifetime }
    if (reply.body.length <= limits.largestOnDisk) await disk.save(id, timed)
    else await disk.answered([id])
    kept.set(id, timed)
    bytes += weight(timed)
    await forget(surplus())
  }

  async function forgetUnanswered(): Promise<void> {
    const over = [...unanswered].flatMap(([id, each]) => (isLive(each) ? [] : [id]))
    for (const id of over) unanswered.delete(id)
    if (over.length > 0) await disk.answered(over)
  }

  function begin(id: ReplyId): Turn {
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
      earlier: isLive(earlier) ? earlier : undefined,
      finish: (reply) =>
        end(async () => {
          unanswered.delete(id)
          if (reply === undefined) await disk.answered([id])
          else await keep(id, reply)
        }),
      // Whoever has not paid must not make the disk work.
      pass: () => end(async () => undefined),
    }
  }

  const found = [...(await disk.load())].sort(([, a], [, b]) => a.expires - b.expires)
  for (const [id, reply] of found) {
    kept.set(id, reply)
    bytes += weight(reply)
  }
  await forget(surplus())
  const unanswered = new Map(await disk.unanswered())
  await forgetUnanswered()

  return {
    largestBody: limits.largestBody,
    take: async (id) => {
      for (;;) {
        const reply = kept.get(id)
        if (reply !== undefined && reply.expires > now()) return { kind: 'kept', reply }
        const other = underWay.get(id)
        if (other === undefined) return begin(id)
        await other
      }
    },
  }
}

function weight(reply: Reply | undefined): number {
  return reply === undefined ? 0 : reply.body.length + overhead
}
