// Processes that share a state, each of its own, to be stopped and killed.
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { ExecutionContext } from 'ava'
import { endWithParent } from '../lab/processes/end-with-parent.ts'
import { until } from './until.ts'

const program = fileURLToPath(new URL('./programs/cluster-member.ts', import.meta.url))

export interface ClusterProcess {
  /** All that it has said so far, a line each. */
  readonly said: () => readonly string[]
  /** Resolves with the first line that begins so, behind those that were there before. */
  readonly says: (beginning: string, after?: number) => Promise<string>
  readonly tell: (command: string) => void
  readonly signal: (signal: 'SIGSTOP' | 'SIGCONT' | 'SIGKILL') => void
}

export function startMember(t: ExecutionContext, url: string, name: string): ClusterProcess {
  const child = spawn(process.execPath, [program, url, name], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  endWithParent(child)
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  t.teardown(async () => {
    child.kill('SIGKILL')
    await ended
  })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (more: string) => {
    text += more
  })
  const said = () => text.split('\n').slice(0, -1)
  return {
    said,
    says: (beginning, after = 0) =>
      until(
        () =>
          said()
            .slice(after)
            .find((line) => line.startsWith(beginning)),
        () => `${name}: ${text}`,
      ),
    tell: (command) => void child.stdin.write(`${command}\n`),
    signal: (signal) => void child.kill(signal),
  }
}
