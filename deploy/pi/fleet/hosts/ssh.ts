// A Raspberry Pi over SSH. It is the system's OpenSSH client that connects: whatever a person has set up
// in ~/.ssh (keys, agents, jump hosts, known hosts) holds here too. The first call logs in, the others
// use its connection.

import { spawn } from 'node:child_process'
import { createReadStream } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readPrivateFile } from '../../../../platform/keys/private-file.ts'
import { defined, type UraidenError } from '../../../../protocol/index.ts'
import { toolError } from '../../../../scripts/lib/shared/errors.ts'
import type { HostSettings, SshSettings } from './inventory.ts'

export interface Finished {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** What goes to the standard input of a command. */
export type Input = string | { readonly file: string }

export interface Connection {
  /**
   * Runs a command of host.sh as root. Resolves with how it ended, whatever that was.
   * @throws UraidenError `ssh_missing`, `ssh_denied`, `ssh_host_key`, `ssh_unreachable`, `ssh_failed`,
   * `sudo_denied`
   */
  readonly run: (command: readonly string[], input?: Input) => Promise<Finished>
  readonly close: () => Promise<void>
}

const deploy = (name: string) => fileURLToPath(new URL(`../../${name}`, import.meta.url))

/** Connects with the first command. */
export async function connect(host: HostSettings): Promise<Connection> {
  if (host.ssh.passwordFile !== undefined) await readPrivateFile(host.ssh.passwordFile)
  const script = await readFile(deploy('host.sh'), 'utf8')
  const folder = await mkdtemp(join(tmpdir(), 'uraiden-ssh-'))
  const options = sshOptions(host.ssh, join(folder, '%C'))
  const target = `${host.ssh.user}@${host.address}`
  const environment = await passwordEnvironment(host.ssh, [...options, target])
  return {
    run: async (command, input) => {
      const line = remoteCommand(host.ssh.user, script, command)
      const finished = await execute([...options, target, line], environment, input)
      if (finished.code === 255) throw sshError(host, finished.stderr)
      if (/^sudo: .*(password|terminal)/m.test(finished.stderr)) throw sudoDenied(host)
      return finished
    },
    close: async () => {
      await execute([...options, '-O', 'exit', target], environment).catch(() => undefined)
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** ssh's own options: it never asks a person, and never takes a host key that differs from a known one. */
export function sshOptions(ssh: SshSettings, control: string): readonly string[] {
  const { knownHosts, identity, passwordFile } = ssh
  const options = defined({
    BatchMode: passwordFile === undefined ? 'yes' : 'no',
    ConnectTimeout: '15',
    ServerAliveInterval: '15',
    ServerAliveCountMax: '4',
    StrictHostKeyChecking: ssh.hostKeys === 'strict' ? 'yes' : 'accept-new',
    ControlMaster: 'auto',
    ControlPath: control,
    ControlPersist: '60',
    LogLevel: 'ERROR',
    UserKnownHostsFile: knownHosts && quotedForSsh(knownHosts),
    IdentityFile: identity && quotedForSsh(identity),
    IdentitiesOnly: identity && 'yes',
    PreferredAuthentications: passwordFile && 'password,keyboard-interactive',
    PubkeyAuthentication: passwordFile && 'no',
    NumberOfPasswordPrompts: passwordFile && '1',
  })
  return [
    ...Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]),
    ...['-p', `${ssh.port}`],
  ]
}

function quotedForSsh(path: string): string {
  return `"${path.replaceAll('%', '%%')}"`
}

/** One line for the shell at the other end. The script goes as an argument: input stays the command's. */
export function remoteCommand(user: string, script: string, command: readonly string[]): string {
  const line = ['sh', '-c', script, 'host.sh', ...command].map(quoted).join(' ')
  return user === 'root' ? line : `sudo -n ${line}`
}

export function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}

async function passwordEnvironment(
  { passwordFile, user }: SshSettings,
  args: readonly string[],
): Promise<NodeJS.ProcessEnv> {
  if (passwordFile === undefined) return process.env
  // In ~/.ssh/config the address may be a name for another one, with which ssh asks.
  const { stdout } = await execute(['-G', ...args], process.env)
  const hostname = /^hostname (.+)$/m.exec(stdout)?.[1] ?? ''
  return {
    ...process.env,
    SSH_ASKPASS: deploy('askpass'),
    SSH_ASKPASS_REQUIRE: 'force',
    URAIDEN_SSH_PASSWORD_FILE: passwordFile,
    URAIDEN_SSH_PASSWORD_FOR: `${user}@${hostname}`,
  }
}

function execute(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  input: Input = '',
): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn('ssh', [...args], { env, stdio: ['pipe', 'pipe', 'pipe'] })
    const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)]
    child.once('error', () => reject(sshMissing()))
    child.once('close', (code, signal) =>
      resolve({ code: code ?? 255, stdout: stdout(), stderr: stderr() || `${signal ?? ''}` }),
    )
    // The other end may have ended before it read everything; its exit code says so.
    child.stdin.on('error', () => undefined)
    if (typeof input === 'string') child.stdin.end(input)
    else createReadStream(input.file).once('error', reject).pipe(child.stdin)
  })
}

function collect(stream: NodeJS.ReadableStream): () => string {
  const chunks: Buffer[] = []
  stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  return () => Buffer.concat(chunks).toString()
}

/** What ssh itself says when it cannot do it, exit code 255. */
export function sshError({ address, ssh }: HostSettings, said: string): UraidenError {
  const message = said.trim().split('\n').at(-1) ?? ''
  const where = `${ssh.user}@${address} (port ${ssh.port})`
  if (/Host key verification failed|REMOTE HOST IDENTIFICATION HAS CHANGED/.test(said)) {
    return toolError({
      code: 'ssh_host_key',
      message: `The host key of ${where} is not the known one, or none is known.`,
      hint: `Compare its fingerprint and enter it: ssh-keyscan -p ${ssh.port} ${address} >> ~/.ssh/known_hosts. For a new Pi in a network you trust: --accept-new.`,
    })
  }
  if (/Permission denied|Too many authentication failures/.test(said)) {
    const how = ssh.passwordFile === undefined ? 'a key' : 'the password'
    return toolError({
      code: 'ssh_denied',
      message: `${where} does not let us in with ${how}: ${message}`,
      hint:
        ssh.passwordFile === undefined
          ? `Put your public key there: ssh-copy-id -p ${ssh.port} ${ssh.user}@${address}. Or name ssh.passwordFile.`
          : `Check the first line of ${ssh.passwordFile}, and the user.`,
    })
  }
  if (/Connection (refused|timed out|reset|closed)|No route|resolve host|unreachable/i.test(said)) {
    return toolError({
      code: 'ssh_unreachable',
      message: `${where} cannot be reached: ${message}`,
    })
  }
  return toolError({
    code: 'ssh_failed',
    message: `ssh to ${where} failed: ${message || 'it says nothing'}`,
  })
}

function sudoDenied({ ssh }: HostSettings): UraidenError {
  return toolError({
    code: 'sudo_denied',
    message: `${ssh.user} may not use sudo without a password there.`,
    hint: `Allow it there (/etc/sudoers.d: ${ssh.user} ALL=(ALL) NOPASSWD: ALL), or log in as root.`,
  })
}

function sshMissing(): UraidenError {
  return toolError({
    code: 'ssh_missing',
    message: 'The program ssh is not installed.',
  })
}
