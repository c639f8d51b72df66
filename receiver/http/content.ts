// The content of an unbound request that may be repeated: looked at while it flows to whoever reads it, so
// that another content under the same key is not taken for the same request. A bound one has its digest.
import { createHash, type Hash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { headerName } from '../../protocol/index.ts'
import type { SeenContent } from '../channels/store.ts'
import type { RequestContent } from '../paywall/replies.ts'

/**
 * To be called before anybody reads it; what a parser has taken already is known by what it made of it.
 * Undefined for a request without a key.
 */
export function watchContent(
  request: IncomingMessage,
  response: ServerResponse,
): RequestContent | undefined {
  if (!hasKey(request)) return undefined
  const { body } = request as { readonly body?: unknown }
  const isTaken = request.readableEnded || body !== undefined
  return isTaken ? parsed(body) : flowing(request, response)
}

function hasKey({ headers }: IncomingMessage): boolean {
  return 'idempotency-key' in headers || `${headers.cookie}`.includes(headerName.idempotencyKey)
}

function parsed(body: unknown): RequestContent {
  const text = Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body) ?? '')
  const all = seen(createHash('sha256').update(text), text.length, true)
  return { seen: () => all, isLike: async (kept) => isSame(all, kept) }
}

function flowing(request: IncomingMessage, response: ServerResponse): RequestContent {
  const hash = createHash('sha256')
  let bytes = 0
  const look = (chunk: Uint8Array) => {
    hash.update(chunk)
    bytes += chunk.length
  }
  // What came with the head is put back at once: a stream that was found empty ends with the next tick.
  const early: Buffer | null = request.readableLength > 0 ? request.read() : null
  if (early !== null) {
    look(early)
    request.unshift(early)
    // As node does with what nobody has begun to read.
    response.once('finish', () => request.resume())
  }
  // A listener to `data` would take it from whoever reads it.
  const push = request.push.bind(request)
  request.push = (chunk: Buffer | null) => {
    if (chunk !== null) look(chunk)
    return push(chunk)
  }
  const all = () => seen(hash.copy(), bytes, request.complete)
  return {
    seen: all,
    isLike: (kept) =>
      request.readableEnded ? Promise.resolve(isSame(all(), kept)) : isReadLike(request, kept),
  }
}

/** Reads as much as decides. */
async function isReadLike(request: IncomingMessage, kept: SeenContent): Promise<boolean> {
  const hash = createHash('sha256')
  let bytes = 0
  // Left intact: the answer still has to go back on its connection.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    const part: Buffer = kept.whole ? chunk : chunk.subarray(0, kept.bytes - bytes)
    hash.update(part)
    bytes += part.length
    if (bytes > kept.bytes || (!kept.whole && bytes === kept.bytes)) break
  }
  return isSame(seen(hash, bytes, kept.whole), kept)
}

function seen(hash: Hash, bytes: number, whole: boolean): SeenContent {
  return { bytes, digest: hash.digest('base64url'), whole }
}

function isSame(one: SeenContent, other: SeenContent): boolean {
  return one.bytes === other.bytes && one.digest === other.digest
}
