// A Debian package from a tree of files. dpkg-deb sorts the names and takes times and owners from
// what it is told, so that the same tree gives the same bytes.
import { createHash } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join, relative } from 'node:path'
import type { Platform } from './platforms.ts'
import { checkout, place, type Tree, tool } from './tools.ts'
import { maintainer } from './tree.ts'

/** `small` takes minutes for a Node; `fast` is for trying. */
export type Compression = 'small' | 'fast'

export interface DebianOptions {
  readonly tree: Tree
  readonly platform: Platform
  readonly version: string
  readonly compression: Compression
  /** Where the package goes; must exist. */
  readonly into: string
}

const compressions: Readonly<Record<Compression, readonly string[]>> = {
  small: ['-Zxz', '-z9', '-Sextreme'],
  fast: ['-Zxz', '-z0'],
}

/** The path of the package. */
export async function writePackage(options: DebianOptions): Promise<string> {
  const { tree, platform, version, compression, into } = options
  const { folder, date } = tree
  const files = await filesBelow(folder)
  await place(tree, 'DEBIAN/control', control(platform, version, await sizeOf(folder, files)))
  await place(tree, 'DEBIAN/md5sums', await md5sums(folder, files))
  await place(tree, 'DEBIAN/conffiles', '/etc/uraiden/agent.yaml\n')
  for (const script of ['postinst', 'prerm', 'postrm']) {
    const contents = await readFile(join(checkout, 'deploy/pi/debian', script))
    await place(tree, `DEBIAN/${script}`, contents, 0o755)
  }
  const file = join(into, `uraiden-agent_${version}_${platform.name}.deb`)
  const how = ['--root-owner-group', '--threads-max=1', ...compressions[compression]]
  await tool('dpkg-deb', [...how, '--build', folder, file], {
    env: { ...process.env, SOURCE_DATE_EPOCH: String(date) },
  })
  return file
}

function control(platform: Platform, version: string, size: number): string {
  const depends = [...platform.depends, 'systemd (>= 247)'].join(', ')
  return `Package: uraiden-agent
Source: uraiden-pi
Version: ${version}
Architecture: ${platform.name}
Maintainer: ${maintainer}
Installed-Size: ${size}
Depends: ${depends}
Section: net
Priority: optional
Description: pays for data over HTTP through payment channels
 The agent buys from receivers that ask a price for their answers, and pays
 them with signed balance proofs through channels of the uRaiden contract, never
 more than its budget allows. It runs once for one answer, or as a daemon with
 jobs and a proxy through which any program pays.
 .
 It brings its own Node.js ${platform.node.version}.
`
}

/** In KiB, each file rounded up, as Debian counts it. */
async function sizeOf(folder: string, files: readonly string[]): Promise<number> {
  const sizes = await Promise.all(files.map((file) => stat(join(folder, file))))
  return sizes.reduce((sum, { size }) => sum + Math.ceil(size / 1024), 0)
}

async function md5sums(folder: string, files: readonly string[]): Promise<string> {
  const lines = files
    .filter((file) => !file.startsWith('etc/'))
    .map(async (file) => {
      const hash = createHash('md5').update(await readFile(join(folder, file)))
      return `${hash.digest('hex')}  ${file}\n`
    })
  return (await Promise.all(lines)).join('')
}

async function filesBelow(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort()
}
