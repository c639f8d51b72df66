// Reads a range of blocks in pieces, because providers refuse what is too much for them.
import { type ChainBlock, isUraidenError } from '../../protocol/index.ts'

/** Most blocks in one question at first; what is quiet is read faster and faster. */
const firstPiece = 10_000

/**
 * Calls `read` for pieces of `[from, to]` in order. A piece that the node refuses is halved; one
 * block that it refuses is its error to report. After an answer the next piece may be twice as
 * large, but never again as large as one that was refused.
 * @throws UraidenError `rpc_error`, `chain_unavailable`
 */
export async function readInPieces<Item>(
  from: ChainBlock,
  to: ChainBlock,
  read: (from: ChainBlock, to: ChainBlock) => Promise<readonly Item[]>,
): Promise<readonly Item[]> {
  const items: Item[] = []
  let size = firstPiece
  let refused = Number.POSITIVE_INFINITY
  let next = from
  while (next <= to) {
    const last = Math.min(next + size - 1, to)
    try {
      items.push(...(await read(next, last)))
      next = last + 1
      size = Math.max(size, Math.min(size * 2, refused - 1))
    } catch (error) {
      const asked = last - next + 1
      if (!isUraidenError(error, 'rpc_error') || asked <= 1) throw error
      refused = asked
      size = Math.floor(asked / 2)
    }
  }
  return items
}
