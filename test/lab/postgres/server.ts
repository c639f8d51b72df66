// A PostgreSQL server of one's own: a cluster in a folder, a socket beside it, an ordinary user. Durable as a real one.
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process'
import { chmod, chown, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { endWithParent } from '../processes/end-with-parent.ts'
import { findPostgres } from './binaries.ts'

const run = promisify(execFile)

export interface PostgresServer {
  /** Of its socket. */
  readonly folder: string
  readonly port: number
  /** Who may do everything in it, without a password on the socket. */
  readonly user: string
  /** Of a new and empty database. */
  readonly createDatabase: () => Promise<string>
  readonly url: (database: string) => string
  /** Rows of the last statement as psql prints them, unaligned; for what is looked at from outside. */
  readonly sql: (database: string, text: string) => Promise<string>
  /** As a power cut: all its processes at once. */
  readonly kill: () => Promise<void>
  /** `fast`: sessions are ended, everything is written. */
  readonly stop: () => Promise<void>
  /** Resolves when it takes connections. `more` are settings for this time. */
  readonly start: (more?: Settings) => Promise<void>
  /** Stops it and removes all. */
  readonly remove: () => Promise<void>
}

export type Settings = Readonly<Record<string, string>>

export interface ServerOptions {
  /** Of TCP, where `settings` has addresses to listen on, and in the socket's name; 5432 by default. */
  readonly port?: number
  readonly settings?: Settings
  /** Files that only it may read, by name in its folder: keys and certificates. */
  readonly files?: Readonly<Record<string, string>>
  /** It begins as a standby of this one, which must have `replicating` among its options. */
  readonly standbyOf?: PostgresServer
  /** Lines of pg_hba.conf behind the one that lets everybody on the socket in. */
  readonly access?: readonly string[]
}

const user = 'uraiden'

/** Under which a standby is known to its primary. */
export const standbyName = 'standby'

/** Of a server that has a standby. */
export const replicating = { access: ['local replication all trust'] } satisfies ServerOptions

/** A server that runs, durable as a real one: nothing of what makes it so is off. */
export async function startPostgres(options: ServerOptions = {}): Promise<PostgresServer> {
  const programs = findPostgres()
  if (programs === undefined) throw new Error('PostgreSQL is missing: apt-get install postgresql')
  const identity = ordinaryUser()
  const folder = await mkdtemp(join(tmpdir(), 'uraiden-pg-'))
  const data = join(folder, 'data')
  const { port = 5432 } = options
  await makeCluster({ programs, folder, data, identity, options })
  let child: ChildProcess | undefined
  let ended: Promise<void> | undefined
  let made = 0
  const ending = async (end: (pid: number) => void) => {
    if (child?.pid !== undefined && child.exitCode === null && child.signalCode === null) {
      end(child.pid)
    }
    await ended
  }
  const server: PostgresServer = {
    ...{ folder, port, user },
    createDatabase: async () => {
      const name = `test_${++made}`
      await server.sql('postgres', `CREATE DATABASE ${name}`)
      return name
    },
    url: (database) => `postgres:///${database}?host=${folder}&port=${port}&user=${user}`,
    sql: async (database, text) => {
      const args = ['-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-c', text]
      const place = ['-h', folder, '-p', `${port}`, '-U', user, database]
      const { stdout } = await run(join(programs, 'psql'), [...args, ...place])
      return stdout.trimEnd()
    },
    // Its group has all of its processes.
    kill: () => ending((pid) => process.kill(-pid, 'SIGKILL')),
    stop: () => ending((pid) => process.kill(pid, 'SIGINT')),
    start: async (more = {}) => {
      const settings = {
        ...usual,
        port: `${port}`,
        unix_socket_directories: folder,
        ...options.settings,
        ...more,
      }
      const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
      const program = join(programs, 'postgres')
      child = spawn(program, ['-D', data, ...flags], {
        ...{ ...identity, cwd: folder, detached: true },
        stdio: ['ignore', 'ignore', 'pipe'],
        env: { ...process.env, LC_MESSAGES: 'C' },
      })
      endWithParent(child)
      const started = child
      ended = new Promise((resolve) => started.once('close', () => resolve()))
      await ready(started)
    },
    remove: async () => {
      await server.kill()
      await rm(folder, { recursive: true, force: true })
    },
  }
  await server.start()
  return server
}

const usual: Settings = {
  listen_addresses: '',
  shared_buffers: '16MB',
  // All tests of a file run beside each other, each with up to five for each of its processes.
  max_connections: '200',
}

interface Identity {
  readonly uid?: number
  readonly gid?: number
}

/** The server does not run as root. */
function ordinaryUser(): Identity {
  if (process.getuid?.() !== 0) return {}
  const id = (flag: string, name: string) => Number(execFileSync('id', [flag, name]))
  return { uid: id('-u', 'nobody'), gid: id('-g', 'nobody') }
}

async function makeCluster({
  programs,
  folder,
  data,
  identity,
  options,
}: {
  readonly programs: string
  readonly folder: string
  readonly data: string
  readonly identity: Identity
  readonly options: ServerOptions
}): Promise<void> {
  const { uid, gid } = identity
  const give = async (path: string) => {
    if (uid !== undefined && gid !== undefined) await chown(path, uid, gid)
  }
  await mkdir(data, { mode: 0o700 })
  // Who tests is root, or the same user.
  await chmod(folder, 0o755)
  for (const path of [folder, data]) await give(path)
  // No sync of what is empty: the server's own are all on.
  const args = [
    '-D',
    data,
    '-U',
    user,
    '--auth=trust',
    '--encoding=UTF8',
    '--locale=C',
    '--no-sync',
  ]
  const { files = {}, access = [], standbyOf } = options
  if (standbyOf === undefined) {
    await run(join(programs, 'initdb'), args, { ...identity, cwd: folder })
  } else {
    const { folder: host, port } = standbyOf
    const from = `host=${host} port=${port} user=${user} application_name=${standbyName}`
    const how = ['-D', data, '-d', from, '-R', '-X', 'stream', '-c', 'fast', '--no-sync']
    await run(join(programs, 'pg_basebackup'), how, { ...identity, cwd: folder })
  }
  for (const [name, text] of Object.entries(files)) {
    const file = join(folder, name)
    await writeFile(file, text, { mode: 0o600 })
    await give(file)
  }
  const hba = join(data, 'pg_hba.conf')
  await writeFile(hba, ['local all all trust', ...access, ''].join('\n'))
}

function ready({ stderr }: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = ''
    stderr?.setEncoding('utf8').on('data', (text: string) => {
      said += text
      if (said.includes('database system is ready to accept')) {
        resolve()
        said = ''
      }
    })
    stderr?.once('close', () => reject(new Error(`postgres ended:\n${said}`)))
  })
}
