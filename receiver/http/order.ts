// A payment of the original's form says a new balance and nothing more, so that several on one connection
// (RFC 9112 section 9.3.2) pay only in the order in which they came.
import type { Socket } from 'node:net'

const before = new WeakMap<Socket, Promise<unknown>>()

/** Decides about one request when those before it on its connection are decided. */
export function inOrder<Decision>(
  socket: Socket,
  decide: () => Promise<Decision>,
): Promise<Decision> {
  const decision = (before.get(socket) ?? Promise.resolve()).then(decide)
  before.set(
    socket,
    decision.catch(() => undefined),
  )
  return decision
}
