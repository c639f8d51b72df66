// Which files of the project run code during a piece of work: V8's own precise coverage, in this process.
import { Session } from 'node:inspector/promises'
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

/**
 * The files, relative to the checkout and sorted, of which at least one function was called while `work`
 * ran. Timers and servers of the same process count too: stop them, or leave them out by their folder.
 */
export async function executedFiles(work: () => Promise<unknown>): Promise<readonly string[]> {
  const session = new Session()
  session.connect()
  try {
    await session.post('Profiler.enable')
    await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false })
    // What ran until now is taken away.
    await session.post('Profiler.takePreciseCoverage')
    await work()
    const { result } = await session.post('Profiler.takePreciseCoverage')
    return result
      .filter(({ functions }) =>
        functions.some(({ ranges }) => ranges.some(({ count }) => count > 0)),
      )
      .flatMap(({ url }) => (url.startsWith('file:') ? relative(root, fileURLToPath(url)) : []))
      .filter((path) => !path.startsWith('..') && !path.startsWith('node_modules'))
      .sort()
  } finally {
    await session.post('Profiler.stopPreciseCoverage')
    session.disconnect()
  }
}
