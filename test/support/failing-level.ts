// Databases whose next batch fails before anything of it is on the disk, as on one that is full; and how many they
// had.
import { Level } from 'level'

const failing = new Set<string>()
const batches = new Map<string, number>()
const { batch } = Level.prototype

Level.prototype.batch = function (this: Level, ...args: readonly unknown[]) {
  const folder = [...failing].find((each) => this.location.startsWith(each))
  if (args.length > 0) batches.set(this.location, batchesOf(this.location) + 1)
  if (folder === undefined || args.length === 0) return Reflect.apply(batch, this, args)
  failing.delete(folder)
  return Promise.reject(new Error('no space left on device'))
} as typeof batch

/** So far, of all who had it open. */
export function batchesOf(folder: string): number {
  return batches.get(folder) ?? 0
}

export function failNextBatch(folder: string): void {
  failing.add(folder)
}
