// A Debian package from a tree of files. dpkg-deb sorts the names and takes times and owners from
// what it is told, so that the same tree gives the same bytes. It packs the files as they are; xz is
// called here, because dpkg-deb knows nothing of its filters for machine code. Unpacking needs to know
// nothing: the filters are named in the file, and liblzma applies them.
import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { join, relative } from 'node:path'
import type { Platform } from './platforms.ts'
import type { Program } from './programs.ts'
import { place, type Tree, tool } from './tools.ts'
import { maintained, maintainer } from './tree.ts'

/** `small` takes minutes for a Node; `fast` is for trying. */
export type Compression = 'small' | 'fast'

export interface DebianOptions {
  readonly tree: Tree
  readonly program: Program
  readonly platform: Platform
  readonly version: string
  readonly compression: Compression
  /** Where the package goes; must exist. */
  readonly into: string
}

/** The path of the package. */
export async function writePackage(options: DebianOptions): Promise<string> {
  const { tree, program, platform, version, into } = options
  const { folder, date } = tree
  const files = await filesBelow(folder)
  await place(tree, 'DEBIAN/control', control(options, await sizeOf(folder, files)))
  await place(tree, 'DEBIAN/md5sums', await md5sums(folder, files))
  await place(tree, 'DEBIAN/conffiles', `/etc/uraiden/${program.config}\n`)
  for (const script of ['postinst', 'prerm', 'postrm']) {
    await place(tree, `DEBIAN/${script}`, await maintained(script, program), 0o755)
  }
  const file = join(into, `${program.package}_${version}_${platform.name}.deb`)
  const work = await mkdtemp(`${folder}.`)
  try {
    const plain = join(work, 'plain.deb')
    const how = ['--root-owner-group', '--uniform-compression', '-Znone']
    await tool('dpkg-deb', [...how, '--build', folder, plain], {
      env: { ...process.env, SOURCE_DATE_EPOCH: String(date) },
    })
    await tool('ar', ['x', plain], { cwd: work })
    await tool('xz', ['--threads=1', '-9', 'control.tar'], { cwd: work })
    await tool('xz', [...packing(options), 'data.tar'], { cwd: work })
    const members = ['debian-binary', 'control.tar.xz', 'data.tar.xz']
    await rm(file, { force: true })
    // D: no times and owners of this machine. Without S and with short names it is the format of dpkg.
    await tool('ar', ['rcD', file, ...members], { cwd: work })
  } finally {
    await rm(work, { recursive: true })
  }
  return file
}

function packing({ platform, compression }: DebianOptions): readonly string[] {
  if (compression === 'fast') return ['--threads=1', '-0']
  // Literals beside the machine's four-byte instructions: what xz(1) advises for the filter of ARM64.
  const literals = platform.filter === '--x86' ? '' : ',lc=2,lp=2,pb=2'
  return ['--threads=1', platform.filter, `--lzma2=preset=9e${literals}`]
}

function control({ program, platform, version }: DebianOptions, size: number): string {
  const depends = [...platform.depends, 'systemd (>= 247)'].join(', ')
  const before = platform.unpackedBy === undefined ? '' : `Pre-Depends: ${platform.unpackedBy}\n`
  return `Package: ${program.package}
Source: uraiden-pi
Version: ${version}
Architecture: ${platform.name}
Maintainer: ${maintainer}
Installed-Size: ${size}
${before}Depends: ${depends}
Section: net
Priority: optional
Description: ${program.summary}
${program.description} .
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
