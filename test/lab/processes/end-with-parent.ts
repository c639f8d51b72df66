// A child that is not ours to change must not outlive us, not even when we are killed with SIGKILL.
import { type ChildProcess, spawn } from 'node:child_process'

/** Its input ends with us; then it kills what it watches. Ctrl-C in a terminal is meant for others. */
const watch = 'trap "" INT TERM HUP; read -r pid || exit 0; read -r _ || kill -KILL "$pid"'

/**
 * Begun before the child is spawned: to start the watcher takes as long as to start the child, and whoever kills
 * us in that time would leave it. The result is told the child in the moment of its spawn.
 */
export function watchedByParent(): (child: ChildProcess) => void {
  const watcher = spawn('sh', ['-c', watch], { stdio: ['pipe', 'ignore', 'ignore'] })
  watcher.unref()
  const { stdin } = watcher
  if ('unref' in stdin && typeof stdin.unref === 'function') stdin.unref()
  // The watcher may be gone.
  stdin.on('error', () => undefined)
  return (child) => {
    if (child.pid === undefined) {
      stdin.end()
      return
    }
    stdin.write(`${child.pid}\n`)
    // Its process number may be another's from here on.
    child.once('exit', () => watcher.kill('SIGKILL'))
  }
}

/** Must be called in the moment of the spawn. What has ended by itself is watched no more. */
export function endWithParent(child: ChildProcess): void {
  watchedByParent()(child)
}
