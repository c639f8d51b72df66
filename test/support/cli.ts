// Runs the agent's command line as a process of its own, as a person would.
import { spawn } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cleanEnvironment } from './environment.ts'

const main = fileURLToPath(new URL('../../agent/cli/main.ts', import.meta.url))

export interface CliResult {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

interface Surroundings {
  /** Ctrl-C is pressed after it. */
  readonly interrupt?: Promise<unknown>
  /** An open file in place of the pipe that is read. */
  readonly stdout?: number
}

/** Nothing of the machine's own configuration reaches it. */
export function runCli(
  folder: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
  { interrupt, stdout: file }: Surroundings = {},
): Promise<CliResult> {
  const child = spawn(process.execPath, [main, ...args], {
    cwd: folder,
    env: {
      ...cleanEnvironment(folder),
      URAIDEN_AGENT_CONFIG: 'agent.yaml',
      ...environment,
    },
    stdio: ['ignore', file ?? 'pipe', 'pipe'],
  })
  interrupt?.then(() => child.kill('SIGINT'))
  const read = (stream: NodeJS.ReadableStream | null) => {
    const chunks: Buffer[] = []
    stream?.on('data', (chunk) => chunks.push(chunk))
    return () => Buffer.concat(chunks).toString()
  }
  const [stdout, stderr] = [read(child.stdout), read(child.stderr)]
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, stdout: stdout(), stderr: stderr() }))
  })
}

/** A configuration, and a key file beside it. */
export async function writeAgentFiles(
  folder: string,
  privateKey: string,
  config: string,
): Promise<void> {
  await writeFile(join(folder, 'key'), privateKey, { mode: 0o600 })
  await writeFile(join(folder, 'agent.yaml'), config)
}
