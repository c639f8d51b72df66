// Databases whose next batch fails before anything of it is on the disk, as on one that is full.
import { Level } from 'level'

const failing = new Set<string>()
const { batch } = Level.prototype

Level.prototype.batch = function (this: Level, ...args: readonly unknown[]) {
  const folder = [...failing].find((each) => this.location.startsWith(each))
  if (folder === undefined || args.length === 0) return Reflect.apply(batch, this, args)
  failing.delete(folder)
  return Promise.reject(new Error('no space left on device'))
} as typeof batch

export function failNextBatch(folder: string): void {
  failing.add(folder)
}
