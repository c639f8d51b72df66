// All that a release consists of, in one folder: npm packages, Debian packages, executables, bills of materials,
// notes and checksums.
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { toolError } from '../shared/errors.ts'
import { sectionOf } from './changelog.ts'
import { output } from './command.ts'
import { npmSbom } from './sbom.ts'
import { sumsOf, writeSums } from './sums.ts'

export const kinds = ['npm', 'deb', 'executable'] as const
export type Kind = (typeof kinds)[number]

export interface BuildOptions {
  readonly root: string
  readonly version: string
  readonly kinds: readonly Kind[]
  /** Debian's names of processors; all when it is empty. */
  readonly platforms: readonly string[]
  readonly compression: 'small' | 'fast'
  /** Must be empty or not there. */
  readonly into: string
}

/**
 * SHA-256 by file.
 * @throws UraidenError release_folder_full; what the builds throw
 */
export async function buildArtefacts(options: BuildOptions): Promise<ReadonlyMap<string, string>> {
  const { root, version, into } = options
  await mkdir(into, { recursive: true })
  if ((await readdir(into)).length > 0) {
    throw toolError({ code: 'release_folder_full', message: `${into} is not empty.` })
  }
  for (const kind of options.kinds) await builders[kind](options)
  const changelog = await readFile(join(root, 'CHANGELOG.md'), 'utf8')
  const notes = sectionOf(changelog, version) ?? sectionOf(changelog, 'Unreleased') ?? ''
  await writeFile(join(into, 'NOTES.md'), `${notes}\n`)
  const sums = await sumsOf(into)
  await writeSums(into, sums)
  return sums
}

const builders: { readonly [K in Kind]: (options: BuildOptions) => Promise<void> } = {
  npm: async ({ root, version, into }) => {
    await output('npm', ['run', 'packages'], { cwd: root })
    const made = await readdir(join(root, 'dist-packages'))
    for (const file of made.filter((name) => name.endsWith('.tgz'))) {
      await cp(join(root, 'dist-packages', file), join(into, file))
    }
    const lock = await readFile(join(root, 'package-lock.json'), 'utf8')
    const bom = npmSbom(lock, version, await commitDate(root))
    await writeFile(join(into, `uraiden-pi-${version}.cdx.json`), bom)
  },
  deb: async (options) => {
    await buildPi(options, ['--compression', options.compression])
    for (const file of await readdir(options.into)) {
      if (file.endsWith('.deb')) await copySbom(join(options.into, file))
    }
  },
  executable: (options) => buildPi(options, ['--executable']),
}

async function buildPi(options: BuildOptions, args: readonly string[]): Promise<void> {
  const { root, platforms, into } = options
  const program = join(root, 'deploy/pi/packaging/build-pi.ts')
  await output(process.execPath, [program, ...platforms, ...args, '--out', into], { cwd: root })
}

/** Of what is in a Debian package, beside it: who asks what is in it need not unpack it. */
async function copySbom(deb: string): Promise<void> {
  const [name] = basename(deb).split('_')
  const work = await mkdtemp(join(tmpdir(), 'uraiden-release-'))
  try {
    await output('dpkg-deb', ['--extract', deb, work])
    const within = join(work, `usr/share/doc/${name}/sbom.cdx.json`)
    await cp(within, deb.replace(/\.deb$/, '.cdx.json'))
  } finally {
    await rm(work, { recursive: true })
  }
}

async function commitDate(root: string): Promise<number> {
  const { SOURCE_DATE_EPOCH: given } = process.env
  return Number(given ?? (await output('git', ['log', '-1', '--format=%ct'], { cwd: root })))
}
