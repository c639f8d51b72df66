// A child that is not ours to change must not outlive us, not even when we are killed with SIGKILL.
import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'

/** Of the child's environment. */
const mark = 'URAIDEN_WATCHED'

/**
 * Its input ends with us; then it kills what it watches. Where it was not told the process in time, it looks for the
 * mark, for as long as a child may take from its fork to its program. Ctrl-C in a terminal is meant for others.
 */
const watch = `trap "" INT TERM HUP
read -r mark
if read -r pid; then
  read -r _ || kill -KILL "$pid"
  exit
fi
for _ in 1 2 3 4 5 6; do
  grep -lszx "${mark}=$mark" /proc/[0-9]*/environ | tr -dc '0-9\\n' | xargs -r kill -KILL
  sleep 0.3
done`

export interface Watcher {
  /** For the child. */
  readonly environment: Readonly<Record<string, string>>
  /** In the moment of the spawn. What has ended by itself is watched no more. */
  readonly watch: (child: ChildProcess) => void
}

/**
 * Begun before the child is spawned: to start the watcher takes as long as to start the child, and whoever kills
 * us in that time would leave it.
 */
export function watchedByParent(): Watcher {
  const name = randomUUID()
  const watcher = spawn('sh', ['-c', watch], { stdio: ['pipe', 'ignore', 'ignore'] })
  watcher.unref()
  const { stdin } = watcher
  if ('unref' in stdin && typeof stdin.unref === 'function') stdin.unref()
  // The watcher may be gone.
  stdin.on('error', () => undefined)
  stdin.write(`${name}\n`)
  return {
    environment: { [mark]: name },
    watch: (child) => {
      if (child.pid === undefined) {
        watcher.kill('SIGKILL')
        return
      }
      stdin.write(`${child.pid}\n`)
      // Its process number may be another's from here on.
      child.once('exit', () => watcher.kill('SIGKILL'))
    },
  }
}

/** Must be called in the moment of the spawn. */
export function endWithParent(child: ChildProcess): void {
  watchedByParent().watch(child)
}
