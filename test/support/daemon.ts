// The daemon as a process of its own, as systemd would start it.
import { spawn } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ExecutionContext } from 'ava'
import { connectToDaemon } from '../../agent/program/control/client.ts'
import type { DaemonStatus } from '../../agent/program/control/status.ts'
import { runCli, writeAgentFiles } from './cli.ts'
import { cleanEnvironment } from './environment.ts'
import type { startSystem } from './system.ts'
import { until } from './until.ts'

const main = fileURLToPath(new URL('../../agent/cli/main.ts', import.meta.url))

type System = Awaited<ReturnType<typeof startSystem>>

/** A folder with configuration and key of the system's sender. */
export async function daemonFolder(system: System, more = '', rpc = system.chain.rpcUrl) {
  const folder = join(system.folder, 'daemon')
  await mkdir(folder, { recursive: true })
  const config = (text: string) =>
    writeAgentFiles(
      folder,
      system.senderAccount.privateKey,
      `rpc: ${rpc}
contract: ${system.contract}
key: key
state: state
receivers:
  room: { url: '${system.base}', address: ${system.receiverAccount.address} }
${text}`,
    )
  await config(more)
  // One that has just begun may say that it is not ready yet, and to try again.
  const cli = (...args: readonly string[]) =>
    until(async () => {
      const done = await runCli(folder, args)
      return /\(agent_not_ready,/.test(done.stderr) ? undefined : done
    })
  const json = async (t: ExecutionContext, ...args: readonly string[]) => {
    const { code, stdout, stderr } = await cli('--json', ...args)
    t.is(code, 0, stderr + stdout)
    return JSON.parse(stdout)
  }
  return { folder, config, cli, json }
}

/** Resolves when it takes commands. It is killed when the test ends. */
export async function startDaemonProcess(
  t: ExecutionContext,
  folder: string,
  environment: NodeJS.ProcessEnv = {},
) {
  const child = spawn(process.execPath, [main, 'run'], {
    cwd: folder,
    env: {
      ...cleanEnvironment(folder),
      URAIDEN_AGENT_CONFIG: 'agent.yaml',
      ...environment,
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let log = ''
  child.stderr.on('data', (chunk) => {
    log += chunk
  })
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  t.teardown(() => {
    child.kill('SIGKILL')
    return ended
  })
  const status = async (): Promise<DaemonStatus | undefined> => {
    const daemon = await connectToDaemon(join(folder, 'state', 'control.sock'))
    return daemon?.command('status', {})
  }
  let exited = false
  ended.then(() => {
    exited = true
  })
  await until(
    async () => {
      if (exited) throw new Error(`the daemon ended: ${log}`)
      return status()
    },
    () => log,
  )
  /** When it listens. */
  const proxyUrl = async () => {
    const port = await until(
      async () => (await status())?.proxy?.port,
      () => log,
    )
    return `http://127.0.0.1:${port}`
  }
  return { child, ended, status, log: () => log, proxyUrl }
}
