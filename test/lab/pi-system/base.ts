// A minimal Debian for arm64 as a disk image, with kernel and initrd beside it. Made once and kept: the
// packages come from a Debian mirror, and their scripts run where they belong, in the emulated machine.

import { createHash } from 'node:crypto'
import { copyFile, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { tool } from '../../../deploy/pi/packaging/tools.ts'
import type { UraidenError } from '../../../protocol/index.ts'
import { toolError } from '../../../scripts/lib/shared/errors.ts'
import { exists } from './files.ts'
import { guestFiles, secondStage, secondStageDone } from './guest-files.ts'
import { writeInitrd } from './initrd.ts'
import { startMachine } from './machine.ts'

export interface Base {
  readonly kernel: string
  readonly initrd: string
  /** ext4, never written again: runs take copies. */
  readonly image: string
  /** Private key of root's ssh. */
  readonly sshKey: string
}

export interface BaseOptions {
  readonly cache: string
  readonly mirror: string
  readonly say: (line: string) => void
}

/** What Raspberry Pi OS 12 is made from. */
const suite = 'bookworm'
export const defaultMirror = 'http://deb.debian.org/debian'
const packages = [
  ...['?essential', 'apt', 'mount', 'passwd', 'e2fsprogs', 'udev', 'openssh-server'],
  ...['systemd', 'systemd-sysv', 'systemd-timesyncd', 'dbus'],
]
const imageSize = '1536M'
const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg'

/** @throws UraidenError `base_failed` with the machine's last words, and those of `tool` */
export async function ensureBase({ cache, mirror, say }: BaseOptions): Promise<Base> {
  const folder = join(cache, `${suite}-arm64-${recipe()}`)
  if (!(await exists(folder))) {
    const unfinished = `${folder}.unfinished`
    await rm(unfinished, { recursive: true, force: true })
    await mkdir(unfinished, { recursive: true })
    say(`making a Debian ${suite} for arm64 from ${mirror}: once, some minutes`)
    const apt = await openApt(unfinished, mirror)
    await makeInitrd(unfinished, apt)
    await makeImage(unfinished, apt)
    await rm(join(unfinished, 'apt'), { recursive: true })
    say('its packages are configured in the emulated machine')
    await runSecondStage(baseIn(unfinished))
    await rename(unfinished, folder)
  }
  return baseIn(folder)
}

/** Another recipe makes another image. */
function recipe(): string {
  const parts = JSON.stringify([packages, guestFiles, secondStage, unpack])
  return createHash('sha256').update(parts).digest('hex').slice(0, 12)
}

type Apt = (program: 'apt-get' | 'apt-cache', ...args: readonly string[]) => Promise<string>

/** apt for a machine that is not this one, and on which nothing is installed. */
async function openApt(folder: string, mirror: string): Promise<Apt> {
  const state = join(folder, 'apt')
  await mkdir(join(state, 'lists/partial'), { recursive: true })
  await mkdir(join(state, 'archives/partial'), { recursive: true })
  const sources = join(state, 'sources.list')
  await writeFile(sources, `deb [signed-by=${keyring}] ${mirror} ${suite} main\n`)
  const settings = [
    'APT::Architecture=arm64',
    'APT::Architectures=arm64',
    // Root's apt would fetch as a user who may not write here.
    'APT::Sandbox::User=root',
    'Dir::State::status=/dev/null',
    'Dir::Etc::sourceparts=/dev/null',
    `Dir::Etc::sourcelist=${sources}`,
    `Dir::State=${state}`,
    `Dir::Cache=${state}`,
  ].flatMap((setting) => ['-o', setting])
  const apt: Apt = (program, ...args) => tool(program, [...settings, ...args], { cwd: folder })
  await apt('apt-get', 'update')
  return apt
}

function baseIn(folder: string): Base {
  return {
    kernel: join(folder, 'vmlinuz'),
    initrd: join(folder, 'initrd.gz'),
    image: join(folder, 'system.ext4'),
    sshKey: join(folder, 'ssh-key'),
  }
}

/** Unpacked, not installed: the kernel's own scripts would make an initrd for minutes. */
async function makeInitrd(folder: string, apt: Apt): Promise<void> {
  const depends = await apt('apt-cache', 'depends', 'linux-image-arm64')
  const kernel = /Depends: (linux-image-\S+)/.exec(depends)?.[1]
  if (kernel === undefined) throw baseFailed(`apt knows no kernel: ${depends}`)
  const work = join(folder, 'kernel')
  await mkdir(work)
  await apt('apt-get', 'download', kernel, 'busybox-static')
  for (const file of (await readdir(folder)).filter((name) => name.endsWith('.deb'))) {
    await tool('dpkg-deb', ['-x', join(folder, file), work])
    await rm(join(folder, file))
  }
  const version = kernel.replace('linux-image-', '')
  await copyFile(join(work, 'boot', `vmlinuz-${version}`), join(folder, 'vmlinuz'))
  await writeInitrd({
    modules: join(work, 'lib/modules', version),
    busybox: join(work, 'bin/busybox'),
    folder: join(folder, 'initrd'),
    file: join(folder, 'initrd.gz'),
  })
  for (const each of [work, join(folder, 'initrd')]) await rm(each, { recursive: true })
}

async function makeImage(folder: string, apt: Apt): Promise<void> {
  await apt('apt-get', 'install', '-y', '--download-only', '--no-install-recommends', ...packages)
  const keygen = ['-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', 'ssh-key']
  await tool('ssh-keygen', keygen, { cwd: folder })
  const extra = join(folder, 'extra')
  const files = [
    ...guestFiles,
    {
      path: 'root/.ssh/authorized_keys',
      text: await readFile(join(folder, 'ssh-key.pub'), 'utf8'),
    },
    { path: 'second-stage', text: secondStage, mode: 0o755 },
  ]
  for (const { path, text, mode = 0o644 } of files) {
    const file = join(extra, path)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, text, { mode })
  }
  const shell = ['sh', '-euc', unpack]
  // Under one fakeroot, so that owners get into the image without being root.
  const [program = 'sh', ...args] = process.getuid?.() === 0 ? shell : ['fakeroot', ...shell]
  await tool(program, args, { cwd: folder })
}

/**
 * dpkg of this machine unpacks, which is ten times as fast as in the emulated one; scripts of the packages
 * run there only. What base-passwd's and dash's scripts do before all others is done here.
 */
const unpack = `
mkdir -p system/usr/bin system/usr/sbin system/usr/lib system/etc
for each in bin sbin lib; do ln -s usr/$each system/$each; done
mkdir -p system/var/lib/dpkg/info system/var/lib/dpkg/updates system/var/lib/dpkg/triggers
: > system/var/lib/dpkg/status
dpkg --root=system --add-architecture arm64
for deb in apt/archives/*.deb; do
  rm -rf one
  dpkg-deb -R "$deb" one
  rm -f one/DEBIAN/preinst "$deb"
  dpkg-deb -Znone -b one "$deb"
done > log
dpkg --root=system --force-all --log=/dev/null --unpack apt/archives/*.deb >> log 2>&1 || { tail log >&2; exit 1; }
rm system/var/lib/dpkg/arch
ln -sf dash system/usr/bin/sh
cp system/usr/share/base-passwd/passwd.master system/etc/passwd
cp system/usr/share/base-passwd/group.master system/etc/group
mkdir -p system/proc system/sys system/dev system/run system/tmp
chmod 1777 system/tmp
cp -R extra/. system/
chmod 700 system/root system/root/.ssh
mke2fs -q -t ext4 -E lazy_itable_init=0,lazy_journal_init=0 -d system -L system system.ext4 ${imageSize}
rm -r system extra one log
`

async function runSecondStage(base: Base): Promise<void> {
  const console = `${base.image}.console`
  const machine = await startMachine({
    ...base,
    disk: { file: base.image, cache: 'unsafe' },
    console,
    memory: 1024,
    start: '/second-stage',
  })
  await machine.ended
  const said = await readFile(console, 'utf8')
  if (!said.includes(secondStageDone)) throw baseFailed(said.slice(-2000))
  await rm(console)
}

function baseFailed(why: string): UraidenError {
  return toolError({
    code: 'base_failed',
    message: `the Debian system could not be made: ${why}`,
  })
}
