// A Debian with a systemd and an sshd of its own, in a container: what provisioning sees of a Raspberry
// Pi. Its disk is an overlay that is gone afterwards; its network is this machine's loopback.
import { execFile, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { ExecutionContext } from 'ava'
import { freePort } from '../lab/processes/free-port.ts'
import { until } from './until.ts'

const run = promisify(execFile)
const base = fileURLToPath(new URL('../../.cache/provision/root', import.meta.url))

export interface Login {
  readonly folder: string
  readonly identity: string
  readonly knownHosts: string
}

/** A key pair that the containers let in as the user pi. */
export async function createLogin(t: ExecutionContext): Promise<Login> {
  const folder = await mkdtemp(join(tmpdir(), 'uraiden-provision-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const identity = join(folder, 'id')
  await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', identity])
  return { folder, identity, knownHosts: join(folder, 'known_hosts') }
}

export interface Container {
  readonly port: number
  /** As root, inside. Resolves with standard output. */
  readonly inside: (script: string) => Promise<string>
  /** Where a path of its disk is on this machine. */
  readonly place: (path: string) => string
}

/** Running, with sshd listening; gone when the test ends. */
export async function startContainer(
  t: ExecutionContext,
  name: string,
  login: Login,
): Promise<Container> {
  const folder = join(login.folder, name)
  const root = join(folder, 'root')
  for (const each of ['upper', 'work', 'root']) await mkdir(join(folder, each), { recursive: true })
  const layers = `lowerdir=${base},upperdir=${folder}/upper,workdir=${folder}/work`
  await run('mount', ['-t', 'overlay', 'overlay', '-o', layers, root])
  t.teardown(() => run('umount', ['--lazy', root]))
  const port = await freePort()
  const listen = `Port ${port}\nListenAddress 127.0.0.1\n`
  await writeFile(join(root, 'etc/ssh/sshd_config.d/port.conf'), listen)
  const machine = `uraiden-${process.pid}-${name}`
  const allow = 'install -d -m 700 -o pi -g pi /home/pi/.ssh && cat >/home/pi/.ssh/authorized_keys'
  await run('sh', ['-c', `chroot '${root}' sh -c '${allow}' <'${login.identity}.pub'`])
  const groups = controlGroups(machine)
  for (const group of groups) await mkdir(group)
  t.teardown(() => Promise.all(groups.map(removeGroup)))
  const join_ = groups.map((group) => `echo $$ >'${group}/cgroup.procs'`).join('; ')
  const boot = `systemd-nspawn --quiet --directory='${root}' --machine=${machine} --boot --keep-unit --register=no --console=pipe`
  const child = spawn('sh', ['-c', `${join_}; exec ${boot}`], { stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      said += chunk
    })
  }
  const ended = new Promise((resolve) => child.once('close', resolve))
  t.teardown(async () => {
    child.kill('SIGKILL')
    await ended
  })
  let over = false
  ended.then(() => {
    over = true
  })
  const options = ['-i', login.identity, '-p', `${port}`, '-o', 'BatchMode=yes']
  const unchecked = ['-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null']
  const inside = async (script: string) => {
    const target = ['-o', 'LogLevel=ERROR', 'pi@127.0.0.1', 'sudo', 'sh', '-s']
    const shell = run('ssh', [...options, ...unchecked, ...target])
    // Where nobody listens yet, its exit code says so.
    shell.child.stdin?.on('error', () => undefined).end(script)
    return (await shell).stdout
  }
  await until(
    () => {
      if (over) throw new Error(`the container ${name} ended: ${said}`)
      return inside('systemctl is-system-running --wait >/dev/null || true; echo up').catch(
        () => undefined,
      )
    },
    () => said,
  )
  return { port, inside, place: (path) => join(root, path) }
}

/** Its own in each hierarchy that systemd uses: two containers in one would be in each other's way. */
function controlGroups(machine: string): readonly string[] {
  const places = ['unified', 'systemd', '.'].map((place) => `/sys/fs/cgroup/${place}`)
  return places
    .filter((place) => existsSync(`${place}/cgroup.procs`))
    .map((place) => `${place}/${machine}`)
}

/** What runs in it outlives the program that has started it; a clean halt would wait for services. */
async function removeGroup(group: string): Promise<void> {
  await until(async () => {
    await run('sh', [
      '-c',
      `find '${group}' -name cgroup.procs -exec cat {} + | xargs -r kill -9`,
    ]).catch(() => undefined)
    const entries = await readdir(group, { recursive: true, withFileTypes: true }).catch(() => [])
    const folders = entries.filter((entry) => entry.isDirectory())
    const paths = folders.map((entry) => join(entry.parentPath, entry.name))
    for (const path of [...paths.sort().reverse(), group]) {
      await run('rmdir', [path]).catch(() => undefined)
    }
    return !existsSync(group) || undefined
  })
}
