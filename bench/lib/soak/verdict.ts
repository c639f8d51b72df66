// Whether the soak went well: pure functions on what was counted, and the reading of the files.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Sample } from './protocol.ts'

export interface Delivery {
  readonly served: number
  readonly delivered: number
  readonly missing: number
  /** Deliveries beyond the first of a body. */
  readonly repeated: number
  /** Delivered and never served. */
  readonly strange: number
}

export function compare(
  served: readonly string[],
  delivered: ReadonlyMap<string, number>,
): Delivery {
  const known = new Set(served)
  const counts = [...delivered.values()]
  return {
    served: served.length,
    delivered: counts.reduce((sum, count) => sum + count, 0),
    missing: served.filter((each) => !delivered.has(each)).length,
    repeated: counts.reduce((sum, count) => sum + count - 1, 0),
    strange: [...delivered.keys()].filter((each) => !known.has(each)).length,
  }
}

/** Every line of all files of a sink, by the number in its data. */
export async function linesOf(folder: string): Promise<ReadonlyMap<string, number>> {
  const found = new Map<string, number>()
  for (const name of await readdir(folder)) {
    const text = await readFile(join(folder, name), 'utf8')
    // What comes after the last newline would be half a line, which is one too few.
    for (const line of text.split('\n').slice(0, -1)) {
      const { number } = JSON.parse(line).data
      found.set(number, (found.get(number) ?? 0) + 1)
    }
  }
  return found
}

/** The middle value of each quarter of a life, in megabytes. */
export function quarters(samples: readonly Sample[], of: (sample: Sample) => number) {
  const length = samples.length / 4
  return [0, 1, 2, 3].map((quarter) => {
    const part = samples.slice(Math.floor(quarter * length), Math.floor((quarter + 1) * length))
    const sorted = part.map(of).sort((a, b) => a - b)
    return Math.round((sorted[Math.floor(sorted.length / 2)] ?? 0) / 10_485.76) / 100
  })
}

/** The last quarter is at most a tenth and 2 MB above the second; the first one warms up. */
export function isFlat([, second = 0, , last = 0]: readonly number[]): boolean {
  return last <= second * 1.1 + 2
}
