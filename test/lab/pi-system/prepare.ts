// What every use of the emulated Pi begins with: the programs that it takes, the package, the system.

import { spawnSync } from 'node:child_process'
import { mkdir, readdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { checkout, tool } from '../../../deploy/pi/packaging/tools.ts'
import { toolError } from '../../../scripts/lib/shared/errors.ts'
import { type Base, type BaseOptions, ensureBase } from './base.ts'

export interface PrepareOptions extends BaseOptions {
  /** A package for arm64; undefined builds one from this checkout. */
  readonly deb: string | undefined
}

export interface Prepared {
  readonly base: Base
  readonly deb: string
}

/** Program and the Debian package that it is in. */
const needed = {
  'qemu-system-aarch64': 'qemu-system-arm',
  'dpkg-deb': 'dpkg',
  'apt-get': 'apt',
  debugfs: 'e2fsprogs',
  cpio: 'cpio',
  ssh: 'openssh-client',
  ...(process.getuid?.() === 0 ? {} : { fakeroot: 'fakeroot' }),
}

/** @throws UraidenError `pi_system_needs` with what has to be installed */
export async function prepare(options: PrepareOptions): Promise<Prepared> {
  demandPrograms()
  const base = await ensureBase(options)
  return { base, deb: options.deb ? resolve(options.deb) : await buildPackage(options) }
}

/** Packed fast: what is inside is the same. */
async function buildPackage({ cache, say }: PrepareOptions): Promise<string> {
  say('building the package from this checkout')
  const out = join(cache, 'packages')
  await mkdir(out, { recursive: true })
  const program = join(checkout, 'deploy/pi/packaging/build-pi.ts')
  await tool(process.execPath, [
    program,
    'arm64',
    '--program',
    'agent',
    '--compression',
    'fast',
    '--out',
    out,
  ])
  const made = (await readdir(out)).find((name) => /^uraiden-agent_.*_arm64\.deb$/.test(name))
  if (made === undefined) throw new Error('build-pi made no package')
  return join(out, made)
}

function demandPrograms(): void {
  const path = `${process.env.PATH}:/usr/sbin:/sbin`
  process.env.PATH = path
  const missing = Object.entries(needed)
    .filter(([program]) => spawnSync('which', [program], { env: { PATH: path } }).status !== 0)
    .map(([, name]) => name)
  if (missing.length === 0) return
  throw toolError({
    code: 'pi_system_needs',
    message: `not installed: ${missing.join(', ')}`,
    hint: `On Debian: apt-get install --no-install-recommends ${missing.join(' ')}`,
  })
}
