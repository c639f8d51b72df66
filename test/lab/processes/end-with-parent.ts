// A child that is not ours to change must not outlive us, not even when we are killed with SIGKILL.
import { type ChildProcess, spawn } from 'node:child_process'

/** Its input ends with us; then it kills what it watches. Ctrl-C in a terminal is meant for others. */
const watch = 'trap "" INT TERM HUP; read -r _ || kill -KILL "$1"'

/** Must be called in the moment of the spawn. What has ended by itself is watched no more. */
export function endWithParent(child: ChildProcess): void {
  if (child.pid === undefined) return
  const watcher = spawn('sh', ['-c', watch, 'sh', `${child.pid}`], {
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  watcher.unref()
  const { stdin } = watcher
  if ('unref' in stdin && typeof stdin.unref === 'function') stdin.unref()
  // Its process number may be another's from here on.
  child.once('exit', () => watcher.kill('SIGKILL'))
}
