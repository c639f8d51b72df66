// One geth process on a data folder.

import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { promisify } from 'node:util'
import type { UraidenError } from '../../../protocol/index.ts'
import { toolError } from '../../../scripts/lib/shared/errors.ts'
import { endWithParent } from '../processes/end-with-parent.ts'

const run = promisify(execFile)

export interface GethOptions {
  /** The program. */
  readonly geth: string
  readonly dataFolder: string
  /** TCP port on 127.0.0.1; 0 takes a free one. */
  readonly port: number
  /** Seconds from block to block; 0: a block as soon as there is a transaction. */
  readonly period: number
  /** More of geth's own options. */
  readonly more?: readonly string[]
}

export interface GethProcess {
  readonly port: number
  /**
   * SIGINT lets it write down its state; SIGKILL does not, and unless it writes all at once
   * (`keepsAll`) it has forgotten the newest blocks when it comes back, of a young chain all.
   */
  readonly stop: (signal: 'SIGINT' | 'SIGKILL') => Promise<void>
  readonly signal: (signal: NodeJS.Signals) => void
}

/** Such as `1.16.7-stable`. */
export async function gethVersion(geth: string): Promise<string> {
  const { stdout } = await run(geth, ['version'])
  return /^Version: (\S+)/m.exec(stdout)?.[1] ?? 'unknown'
}

/** Runs a command of geth on its data folder to its end, such as `init` or `import`. */
export async function gethCommand(
  { geth, dataFolder }: Pick<GethOptions, 'geth' | 'dataFolder'>,
  ...args: readonly string[]
): Promise<void> {
  await run(geth, ['--datadir', dataFolder, ...args], { maxBuffer: 64 * 1024 * 1024 })
}

/** @throws UraidenError `geth_not_started` with its last words */
export async function startGethProcess(options: GethOptions): Promise<GethProcess> {
  const child = spawn(options.geth, argumentsOf(options), { stdio: ['ignore', 'ignore', 'pipe'] })
  endWithParent(child)
  const port = await listening(child)
  return {
    port,
    signal: (signal) => void child.kill(signal),
    stop: async (signal) => {
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = new Promise((resolve) => child.once('exit', resolve))
      child.kill(signal)
      await ended
    },
  }
}

function argumentsOf({ dataFolder, port, period, more = [] }: GethOptions): readonly string[] {
  return [
    ...['--dev', '--dev.period', `${period}`, '--datadir', dataFolder],
    ...['--http', '--http.addr', '127.0.0.1', '--http.port', `${port}`],
    ...['--http.api', 'eth,net,web3,debug'],
    // Nothing else of it is to be reached, nor to be in the way of another one.
    ...['--authrpc.port', '0', '--ipcdisable', '--port', '0', '--nodiscover', '--maxpeers', '0'],
    ...more,
  ]
}

/** Resolves with the port that it listens on. */
function listening(child: ChildProcess): Promise<number> {
  let said = ''
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', () => reject(notStarted(said)))
    child.stderr?.on('data', (chunk) => {
      said = (said + chunk).slice(-4000)
      const found = /HTTP server started +endpoint=127\.0\.0\.1:(\d+)/.exec(said)
      if (found) resolve(Number(found[1]))
    })
  })
}

function notStarted(said: string): UraidenError {
  const reason = said.split('\n').findLast((line) => /fatal|crit|error/i.test(line))
  return toolError({
    code: 'geth_not_started',
    message: `geth did not start: ${reason ?? said.slice(-300)}`,
  })
}
