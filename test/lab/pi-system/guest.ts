// Commands in the emulated machine, over ssh.

import { spawn } from 'node:child_process'
import { toolError } from '../../../scripts/lib/shared/errors.ts'

export interface Guest {
  /** Standard output of a shell command. @throws UraidenError `guest_command_failed` */
  readonly run: (command: string, input?: string | Uint8Array) => Promise<string>
  /** Resolves when ssh answers. @throws UraidenError `guest_ended` when it never will */
  readonly reached: () => Promise<void>
}

export interface GuestOptions {
  readonly port: number
  readonly key: string
  /** Whether the machine is off. */
  readonly isOff: () => boolean
}

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** What ssh itself ends with when it cannot connect. */
const noConnection = 255

export function createGuest({ port, key, isOff }: GuestOptions): Guest {
  const ssh = (command: string, input: string | Uint8Array): Promise<Ended> =>
    collect(spawn('ssh', [...sshOptions(port, key), 'root@127.0.0.1', command]), input)
  return {
    run: async (command, input = '') => {
      const { code, stdout, stderr } = await ssh(command, input)
      if (code === 0) return stdout
      throw toolError({
        code: 'guest_command_failed',
        message: `in the emulated machine, exit code ${code}: ${command}`,
        hint: stderr.trim() || stdout.trim() || 'It said nothing.',
      })
    },
    reached: async () => {
      while ((await ssh('true', '')).code === noConnection) {
        if (isOff()) {
          throw toolError({
            code: 'guest_ended',
            message: 'the emulated machine switched itself off while it started',
          })
        }
        await new Promise((resolve) => setTimeout(resolve, 500))
      }
    },
  }
}

function sshOptions(port: number, key: string): readonly string[] {
  const settings = {
    StrictHostKeyChecking: 'no',
    UserKnownHostsFile: '/dev/null',
    LogLevel: 'ERROR',
    BatchMode: 'yes',
    IdentitiesOnly: 'yes',
    ConnectTimeout: '20',
    ServerAliveInterval: '15',
    ServerAliveCountMax: '40',
  }
  return [
    ...['-F', 'none', '-p', `${port}`, '-i', key],
    ...Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]),
  ]
}

function collect(child: ReturnType<typeof spawn>, input: string | Uint8Array): Promise<Ended> {
  const said = { stdout: '', stderr: '' }
  child.stdout?.setEncoding('utf8').on('data', (text) => {
    said.stdout += text
  })
  child.stderr?.setEncoding('utf8').on('data', (text) => {
    said.stderr += text
  })
  child.stdin?.on('error', () => undefined)
  child.stdin?.end(input)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, ...said }))
  })
}
