// The files of a package, at the places where they will be.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { deploymentsFolder } from '../../../contracts/deployments.ts'
import { publishedDeployments } from '../../../scripts/lib/deploy/published.ts'
import type { Addon } from './addons.ts'
import { type Bundle, bundleCacheMaker } from './bundle.ts'
import { compileCache, nodeOptionsOf, runnerOf } from './cache.ts'
import { noticesOf, writeCopyright } from './copyright.ts'
import type { Platform } from './platforms.ts'
import type { Program } from './programs.ts'
import type { Runtime } from './runtime.ts'
import { type Described, integrityIn, writeSbom } from './sbom.ts'
import { checkout, place, type Tree, tool } from './tools.ts'

export interface TreeOptions {
  readonly program: Program
  readonly platform: Platform
  readonly runtime: Runtime
  readonly bundle: Bundle
  /** Of the records of deployments that are shipped; the checkout's when it is not named. */
  readonly deployments?: string
  readonly version: string
  /** What was there is removed. */
  readonly folder: string
  /** Seconds since 1970, of every file. */
  readonly date: number
}

interface Layout {
  /** Ours as they are, and where they go. */
  readonly plain: readonly (readonly [string, string])[]
  /** Those that Debian wants compressed. */
  readonly compressed: readonly (readonly [string, string])[]
}

function layoutOf({ package: name, documents }: Program): Layout {
  return {
    plain: [
      [`deploy/pi/systemd/${name}.service`, `usr/lib/systemd/system/${name}.service`],
      [`deploy/pi/sysusers.d/${name}.conf`, `usr/lib/sysusers.d/${name}.conf`],
      [`deploy/pi/tmpfiles.d/${name}.conf`, `usr/lib/tmpfiles.d/${name}.conf`],
      ['deploy/pi/systemd/lan-only.conf', `usr/share/doc/${name}/lan-only.conf`],
      [`deploy/pi/completion/${name}`, `usr/share/bash-completion/completions/${name}`],
      [`deploy/pi/completion/_${name}`, `usr/share/zsh/vendor-completions/_${name}`],
      [`deploy/pi/completion/${name}.fish`, `usr/share/fish/vendor_completions.d/${name}.fish`],
    ],
    compressed: [
      [`deploy/pi/man/${name}.1`, `usr/share/man/man1/${name}.1.gz`],
      ...documents.map(
        (document) =>
          [`docs/${document}.md`, `usr/share/doc/${name}/${basename(document)}.md.gz`] as const,
      ),
    ],
  }
}

export async function writeTree(options: TreeOptions): Promise<Tree> {
  const { folder, date, program, platform, runtime, bundle, version } = options
  const { package: name } = program
  const tree = { folder, date }
  await rm(folder, { recursive: true, force: true })
  await place(tree, `usr/lib/${name}/node`, await readFile(runtime.stripped), 0o755)
  for (const [file, contents] of bundle.files)
    await place(tree, `usr/lib/${name}/${file}`, contents)
  // Whatever a folder above says of its files.
  await place(tree, `usr/lib/${name}/package.json`, '{ "type": "commonjs" }\n')
  for (const addon of bundle.addons) {
    const contents = await readAddon(addon, platform, runtime)
    await place(tree, `usr/lib/${name}/${addon.file}`, contents)
  }
  const { deployments = deploymentsFolder } = options
  for (const file of await publishedDeployments(deployments)) {
    const contents = await readFile(join(deployments, file))
    await place(tree, `usr/lib/${name}/deployments/${file}`, contents)
  }
  await placeCache(tree, options)
  await place(tree, `usr/bin/${name}`, await maintained('launcher', program), 0o755)
  await place(tree, `usr/lib/${name}/notifying`, await maintained('notifying', program), 0o755)
  const overrides = await maintained('lintian-overrides', program)
  await place(tree, `usr/share/lintian/overrides/${name}`, overrides)
  // Keys of services may come into it; postinst gives it to the service's group.
  const config = await read(`deploy/pi/config/${program.config}`)
  await place(tree, `etc/uraiden/${program.config}`, config, 0o640)
  const { plain, compressed } = layoutOf(program)
  for (const [from, to] of plain) await place(tree, to, await read(from))
  for (const [from, to] of compressed) await place(tree, to, gzip(await read(from)))
  const documents = `usr/share/doc/${name}`
  const parts = await noticesOf(bundle, platform, runtime)
  await place(tree, `${documents}/copyright`, await writeCopyright(parts))
  await place(tree, `${documents}/sbom.cdx.json`, await sbomOf(options, parts))
  await place(tree, `${documents}/changelog.gz`, gzip(changelog(version, date)))
  return tree
}

/** Of a program in parts. Where this machine cannot run its Node there is none: it starts slower then. */
async function placeCache(tree: Tree, { program, platform, bundle }: TreeOptions): Promise<void> {
  if (program.imports || bundle.files.size === 0) return
  const runner = await runnerOf(platform)
  if (runner === undefined) return
  const { package: name } = program
  const folder = join(tree.folder, `usr/lib/${name}`)
  const work = await mkdtemp(join(tmpdir(), 'uraiden-caching-'))
  try {
    const maker = join(work, 'caching.cjs')
    await writeFile(maker, await bundleCacheMaker())
    const command = [...runner, join(folder, 'node')]
    const nodeOptions = await nodeOptionsOf(name)
    const installed = `/usr/lib/${name}`
    const cache = await compileCache({ command, folder, installed, maker, nodeOptions })
    for (const [file, contents] of cache) await place(tree, `usr/lib/${name}/${file}`, contents)
  } finally {
    await rm(work, { recursive: true })
  }
}

export async function readAddon(
  { name }: Addon,
  platform: Platform,
  runtime: Runtime,
): Promise<Buffer> {
  const file = platform.addons[name]
  if (file !== undefined) return read(`node_modules/${name}/${file}`)
  if (name === 'secp256k1') return compileSecp256k1(platform, runtime)
  throw new Error(`${name} has no binary for ${platform.name}`)
}

/** A file of deploy/pi/debian, which is the same for all programs but for their names. */
export async function maintained(file: string, program: Program): Promise<string> {
  const text = (await read(`deploy/pi/debian/${file}`)).toString()
  return text.replaceAll('@package@', program.package).replaceAll('@config@', program.config)
}

function read(path: string): Promise<Buffer> {
  return readFile(join(checkout, path))
}

/** zlib writes no time and no name into it. */
function gzip(contents: Uint8Array | string): Buffer {
  return gzipSync(contents, { level: 9 })
}

/** Of a package or an executable. */
export async function sbomOf(
  described: Pick<Described, 'program' | 'platform' | 'version' | 'date'>,
  parts: Described['parts'],
): Promise<string> {
  const integrity = integrityIn((await read('package-lock.json')).toString())
  return writeSbom({ ...described, parts, integrity })
}

function changelog(version: string, date: number): string {
  const when = new Date(date * 1000).toUTCString().replace('GMT', '+0000')
  return `uraiden-pi (${version}) stable; urgency=medium

  * This version; CHANGELOG.md of the sources says what is in it.

 -- ${maintainer}  ${when}
`
}

export const maintainer = 'uRaiden for Raspberry Pi <uraiden-pi@users.noreply.github.com>'

/** As its binding.gyp defines them for x64, without the assembler of that. */
const library = [
  'ECMULT_GEN_PREC_BITS=4',
  'ECMULT_WINDOW_SIZE=15',
  'ENABLE_MODULE_ECDH=1',
  'ENABLE_MODULE_RECOVERY=1',
  'USE_ENDOMORPHISM=1',
  'USE_NUM_NONE=1',
  'USE_FIELD_INV_BUILTIN=1',
  'USE_SCALAR_INV_BUILTIN=1',
  'HAVE___INT128=1',
  'USE_FIELD_5X52=1',
  'USE_SCALAR_4X64=1',
]

/**
 * secp256k1 for processors that its package has no binary for, with the compiler of Debian. For 64
 * bits: the library calculates with integers of 128.
 */
async function compileSecp256k1({ tools }: Platform, runtime: Runtime): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), 'uraiden-secp256k1-'))
  const source = join(checkout, 'node_modules/secp256k1/src')
  const object = join(folder, 'library.o')
  const addon = join(folder, 'secp256k1.node')
  // Folders of this machine must not be in the file.
  const common = [
    '-O2',
    '-fPIC',
    `-ffile-prefix-map=${checkout}=.`,
    `-ffile-prefix-map=${folder}=.`,
  ]
  try {
    await tool(`${tools}-gcc`, [
      ...common,
      ...library.map((definition) => `-D${definition}`),
      ...['-w', '-fvisibility=hidden', `-I${source}/secp256k1`, `-I${source}/secp256k1/src`],
      ...['-c', `${source}/secp256k1/src/secp256k1.c`, '-o', object],
    ])
    await tool(`${tools}-g++`, [
      ...[...common, '-shared', '-s', '-Wl,-z,relro,-z,now', '-Wl,--build-id=none'],
      ...['-DNAPI_VERSION=6', `-I${runtime.headers}`, `-I${source}`],
      `-I${join(checkout, 'node_modules/node-addon-api')}`,
      ...[`${source}/addon.cc`, `${source}/secp256k1.cc`, object, '-o', addon],
    ])
    return await readFile(addon)
  } finally {
    await rm(folder, { recursive: true })
  }
}
