// Programs that an example consists of, as child processes.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'

export interface Child {
  /** The first line that it wrote to standard output. */
  readonly firstLine: string
  /** Resolves when it has ended; asks it to first. */
  readonly stop: () => Promise<void>
  /** Resolves with its exit code, whoever ended it. */
  readonly ended: Promise<number | null>
}

/** Resolves when the program has written its first line; rejects when it ends before that. */
export async function startChild(
  file: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): Promise<Child> {
  const child = spawn(process.execPath, [file, ...args], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'close').then(([code]) => code as number | null)
  const firstLine = await Promise.race([
    readLine(child),
    ended.then((code) => {
      throw new Error(`${file} ended with exit code ${code} before it was ready`)
    }),
  ])
  return {
    firstLine,
    ended,
    stop: async () => {
      child.kill('SIGTERM')
      await ended
    },
  }
}

function readLine({ stdout }: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    let text = ''
    stdout?.setEncoding('utf8').on('data', (chunk) => {
      text += chunk
      const [line, rest] = text.split('\n', 2)
      if (line !== undefined && rest !== undefined) resolve(line)
    })
  })
}
