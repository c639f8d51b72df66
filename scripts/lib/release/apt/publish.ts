// An apt repository as static files: any web server, or a folder, is enough. What is published stays, so that a
// machine can go back to an earlier version; a reader that is half-way through an update finds what it began with.
import { copyFile, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { toolError } from '../../shared/errors.ts'
import { output } from '../command.ts'
import { sha256 } from '../sums.ts'
import {
  fieldOf,
  hashesIn,
  type Index,
  type PublishedPackage,
  packagesIndex,
  releaseFile,
  sourcesFile,
} from './release-file.ts'
import { exportKey, keyringFile, signRelease } from './signature.ts'

export interface Publication {
  /** The root of the repository; made when it is not there. */
  readonly repository: string
  /** New packages. */
  readonly debs: readonly string[]
  /** Of gpg. */
  readonly key: string
  readonly suite: string
  /** Seconds since 1970. */
  readonly date: number
  /** In seconds. */
  readonly validFor?: number
  /** Where it will be served. */
  readonly url?: string
}

const architectures = ['amd64', 'arm64', 'armhf']

/**
 * All packages of the repository, with the new ones.
 * @throws UraidenError release_published for a package of the same name with other bytes; release_key_missing
 */
export async function publish(publication: Publication): Promise<readonly PublishedPackage[]> {
  const { repository, debs, key, suite, url } = publication
  const suiteFolder = join(repository, 'dists', suite)
  await mkdir(suiteFolder, { recursive: true })
  await exportKey(key, repository)
  for (const deb of debs) await addToPool(repository, deb)
  const packages = await packagesIn(repository)
  const former = await readFile(join(suiteFolder, 'Release'), 'utf8').catch(() => '')
  const indices = await writeIndices(suiteFolder, packages, new Set(hashesIn(former)))
  const { date, validFor } = publication
  const until = validFor === undefined ? {} : { validUntil: date + validFor }
  const text = releaseFile({ suite, architectures, date, ...until }, indices)
  await signRelease(text, { key, suiteFolder, repository })
  if (url !== undefined) {
    await writeFile(join(repository, 'uraiden.sources'), sourcesFile(url, suite, keyringFile))
  }
  return packages
}

/** @throws UraidenError release_published */
async function addToPool(repository: string, deb: string): Promise<void> {
  const name = basename(deb)
  const folder = join(repository, 'pool/main/u', name.split('_')[0] ?? '')
  const file = join(folder, name)
  await mkdir(folder, { recursive: true })
  const there = await stat(file).catch(() => undefined)
  if (there === undefined) {
    await copyFile(deb, `${file}.new`)
    await rename(`${file}.new`, file)
  } else if ((await sha256(file)) !== (await sha256(deb))) {
    throw toolError({
      code: 'release_published',
      message: `${name} is published already, with other bytes.`,
    })
  }
}

async function packagesIn(repository: string): Promise<readonly PublishedPackage[]> {
  const files = await readdir(join(repository, 'pool'), { recursive: true })
  const found: PublishedPackage[] = []
  for (const path of files.filter((name) => name.endsWith('.deb')).sort()) {
    const file = join(repository, 'pool', path)
    found.push({
      control: await output('dpkg-deb', ['--field', file]),
      path: join('pool', path),
      size: (await stat(file)).size,
      sha256: await sha256(file),
    })
  }
  return found
}

/** Also by their hashes. Those that the former Release names stay for who has just read it; older ones go. */
async function writeIndices(
  suiteFolder: string,
  packages: readonly PublishedPackage[],
  former: ReadonlySet<string>,
): Promise<readonly Index[]> {
  const indices: Index[] = []
  for (const architecture of architectures) {
    const folder = join(suiteFolder, 'main', `binary-${architecture}`)
    const byHash = join(folder, 'by-hash/SHA256')
    await mkdir(byHash, { recursive: true })
    const own = packages.filter(({ control }) => fieldOf(control, 'Architecture') === architecture)
    const text = Buffer.from(packagesIndex(own))
    const kept = new Set(former)
    for (const [name, bytes] of [
      ['Packages', text],
      ['Packages.gz', gzipSync(text, { level: 9 })],
    ] as const) {
      await writeFile(join(folder, `${name}.new`), bytes)
      const hash = await sha256(join(folder, `${name}.new`))
      await copyFile(join(folder, `${name}.new`), join(byHash, hash))
      await rename(join(folder, `${name}.new`), join(folder, name))
      const path = `main/binary-${architecture}/${name}`
      indices.push({ path, size: bytes.length, sha256: hash })
      kept.add(hash)
    }
    for (const hash of await readdir(byHash)) {
      if (!kept.has(hash)) await rm(join(byHash, hash))
    }
  }
  return indices
}
