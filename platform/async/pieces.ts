// Work on so many items that it would hold up all else: leases are renewed and requests answered between its pieces.
import { setImmediate } from 'node:timers/promises'

const itemsEach = 1000

export async function inPieces<Item>(
  items: Iterable<Item>,
  work: (item: Item) => void,
): Promise<void> {
  let left = itemsEach
  for (const item of items) {
    work(item)
    if (--left > 0) continue
    left = itemsEach
    await setImmediate()
  }
}
