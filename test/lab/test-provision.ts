// npm run test:provision: provisioning over SSH, against containers with a systemd of their own.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../../', import.meta.url))
const cache = join(root, '.cache/provision')
const needed = [
  ['systemd-nspawn', 'systemd-container'],
  ['mmdebstrap', 'mmdebstrap'],
  ['ssh', 'openssh-client'],
  ['ansible-playbook', 'ansible-core'],
  ['dpkg-deb', 'dpkg'],
  ['strip', 'binutils'],
] as const
const missing = needed.filter(([name]) => spawnSync(name, ['--version']).error !== undefined)

if (process.getuid?.() !== 0) fail('only root can start containers')
else if (missing.length > 0) {
  const packages = missing.map(([, name]) => name).join(' ')
  fail(`${missing.map(([name]) => name).join(', ')} not installed: apt-get install ${packages}`)
} else {
  await prepareRoot()
  await mkdir(join(cache, 'packages'), { recursive: true })
  run(process.execPath, [
    join(root, 'deploy/pi/packaging/build-pi.ts'),
    ...['amd64', '--compression', 'fast', '--out', join(cache, 'packages')],
  ])
  run('npx', ['--no-install', 'ava', ...process.argv.slice(2)])
}

/** A Debian as Raspberry Pi OS is one, made once: the user pi may log in, and use sudo. */
async function prepareRoot(): Promise<void> {
  const folder = join(cache, 'root')
  if (existsSync(join(folder, 'usr/bin/python3'))) return
  await rm(folder, { recursive: true, force: true })
  await rm(`${folder}.new`, { recursive: true, force: true })
  await mkdir(cache, { recursive: true })
  const inside = (command: string) => `--customize-hook=chroot "$1" sh -c '${command}'`
  run('mmdebstrap', [
    '--variant=minbase',
    '--include=systemd,systemd-sysv,dbus,openssh-server,sudo,libpam-systemd,libstdc++6,iproute2',
    // For Ansible.
    '--include=python3,python3-apt',
    inside('useradd --create-home --shell /bin/bash pi'),
    inside('echo pi:raspberry | chpasswd'),
    inside('echo "pi ALL=(ALL) NOPASSWD: ALL" >/etc/sudoers.d/010_pi-nopasswd'),
    ...['bookworm', `${folder}.new`],
  ])
  if (!process.exitCode) await rename(`${folder}.new`, folder)
}

function run(program: string, args: readonly string[]): void {
  if (process.exitCode) return
  const env = { ...process.env, URAIDEN_TEST_PROVISION: 'true' }
  const { status } = spawnSync(program, [...args], { cwd: root, env, stdio: 'inherit' })
  process.exitCode = status ?? 1
}

function fail(reason: string): void {
  process.stderr.write(`test:provision: ${reason}\nNothing was tested.\n`)
  process.exitCode = 1
}
