// npm run packages: the built tree as the packages that are published, as folders and as tarballs in
// dist-packages/. With --dry-run, npm says of each what it would publish.
import { execFile } from 'node:child_process'
import { cp, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { bundleLibrary } from './release/bundled.ts'
import { type Checkout, manifestOf } from './release/manifest.ts'
import { readmeOf } from './release/readme.ts'
import { companions, type PackageName } from './release/shape.ts'
import { type SplitPackage, splitTree } from './release/split.ts'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../../', import.meta.url))
const built = join(root, 'dist')
const target = resolve(root, 'dist-packages')

const checkout: Checkout = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
await rm(target, { recursive: true, force: true })
await bundleLibrary(built)
const { packages, owner } = await splitTree(built)
for (const [name, parts] of packages) await write(name, parts)
for (const [path, reader] of companions) await accompany(path, reader)
for (const name of packages.keys()) await pack(name)

function folderOf(name: PackageName): string {
  return join(target, name.replace('@uraiden/', 'uraiden-'))
}

async function write(name: PackageName, parts: SplitPackage): Promise<void> {
  const folder = folderOf(name)
  for (const [path, text] of parts.files) {
    const file = join(folder, 'dist', path)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, text)
  }
  const manifest = manifestOf(name, parts, checkout)
  await writeFile(join(folder, 'package.json'), `${JSON.stringify(manifest, undefined, 2)}\n`)
  await writeFile(join(folder, 'README.md'), readmeOf(name))
  await cp(join(root, 'LICENSE'), join(folder, 'LICENSE'))
}

/** Puts what is no code beside the module that reads it. Where nothing is deployed there is nothing to put. */
async function accompany(path: string, reader: string): Promise<void> {
  const from = join(built, path)
  if ((await stat(from).catch(() => undefined)) === undefined) return
  const filter = (file: string) => !/\.(js|d\.ts|map)$/.test(file) || file.includes('/assets/')
  await cp(from, join(folderOf(owner(reader, '.js')), 'dist', path), { recursive: true, filter })
}

async function pack(name: PackageName): Promise<void> {
  const cwd = folderOf(name)
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', target], { cwd })
  const said: unknown = JSON.parse(stdout)
  const [facts] = (Array.isArray(said) ? said : Object.values(said as object)) as Packed[]
  if (facts === undefined) throw new Error(`npm packed nothing of ${name}`)
  if (process.argv.includes('--dry-run')) {
    await run('npm', ['publish', '--dry-run', '--provenance=false', '--access=public'], { cwd })
  }
  const { filename, entryCount, unpackedSize } = facts
  const kilobytes = Math.round(unpackedSize / 1000)
  process.stdout.write(`${filename}: ${entryCount} files, ${kilobytes} kB unpacked\n`)
}

interface Packed {
  readonly filename: string
  readonly entryCount: number
  readonly unpackedSize: number
}
