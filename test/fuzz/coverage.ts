// Which blocks of our code ran, from V8 itself: what guides the fuzzer.
import { Session } from 'node:inspector/promises'

export interface Coverage {
  /** True when something ran that had not run before. */
  readonly grew: () => Promise<boolean>
  readonly blocks: () => number
  readonly stop: () => void
}

/** Counts code below `root`, without node_modules and tests. */
export async function watchCoverage(root: string): Promise<Coverage> {
  const session = new Session()
  session.connect()
  await session.post('Profiler.enable')
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
  const known = new Set<string>()
  const ours = (url: string) =>
    url.startsWith(root) && !/\/(?:node_modules|test)\//.test(url.slice(root.length))
  return {
    grew: async () => {
      const { result } = await session.post('Profiler.takePreciseCoverage')
      const before = known.size
      for (const { url, scriptId, functions } of result) {
        if (!ours(url)) continue
        for (const { ranges } of functions) {
          for (const { startOffset, endOffset, count } of ranges) {
            if (count > 0) known.add(`${scriptId}:${startOffset}:${endOffset}`)
          }
        }
      }
      return known.size > before
    },
    blocks: () => known.size,
    stop: () => session.disconnect(),
  }
}
