// A program, its Node and its addons as one file, made by pkg (@yao-pkg/pkg) in Node's own format.
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { toolError } from '../../../scripts/lib/shared/errors.ts'
import { installOwnPackages } from '../../../scripts/lib/shared/own-packages.ts'
import { bundleExecutable } from './bundle.ts'
import { noticesOf, writeCopyright } from './copyright.ts'
import { type Platform, type PlatformName, platformOf } from './platforms.ts'
import type { Program } from './programs.ts'
import { fetchRuntime } from './runtime.ts'
import { sourceDate, tool } from './tools.ts'
import { readAddon, sbomOf } from './tree.ts'

export interface ExecutableOptions {
  readonly program: Program
  readonly platform: Platform
  readonly version: string
  /** Where it goes; must exist. */
  readonly into: string
}

/**
 * Node 20 knows of no files inside an executable, and the program of the receiver's threads is a file
 * of its own.
 */
export function isExecutable(program: Program, platform: Platform): boolean {
  return program.name === 'agent' && !platform.node.version.startsWith('20.')
}

/** The path of the executable; the notices of what is in it, and its bill of materials, are beside it. */
export async function writeExecutable(options: ExecutableOptions): Promise<string> {
  const { program, platform, version, into } = options
  const runtime = await fetchRuntime(platform)
  const { code, inputs, addons } = await bundleExecutable(program)
  const work = await mkdtemp(join(into, 'executable-'))
  try {
    const application = join(work, program.package)
    await mkdir(application)
    const inside = (name: string) => join(application, name)
    await writeFile(inside('main.cjs'), code)
    for (const addon of addons) {
      await writeFile(inside(addon.file), await readAddon(addon, platform, runtime))
    }
    // With all three numbers: for fewer, pkg would ask the network which version is meant.
    const target = `node${platform.node.version}-linux-${platform.arch}`
    const manifest = {
      ...{ name: program.package, version, bin: 'main.cjs' },
      pkg: { assets: addons.map(({ file }) => file), targets: [target] },
    }
    await writeFile(inside('package.json'), JSON.stringify(manifest))
    const made = join(work, 'made')
    await runPkg({ application, made, home: join(work, 'home'), platform })
    const file = join(into, `${program.package}-${version}-${platform.name}`)
    await writeFile(file, withoutItsFolder(await readFile(made)), { mode: 0o755 })
    const parts = await noticesOf({ inputs, addons }, platform, runtime)
    await writeFile(`${file}.copyright`, await writeCopyright(parts))
    const described = { program, platform, version, date: await sourceDate() }
    await writeFile(`${file}.cdx.json`, await sbomOf(described, parts))
    return file
  } finally {
    await rm(work, { recursive: true })
  }
}

interface PkgRun {
  /** Folder of the program. */
  readonly application: string
  readonly made: string
  /** Of pkg alone: what it would download is there already. */
  readonly home: string
  readonly platform: Platform
}

/** Where pkg makes what it puts into the executable; it adds letters of its own. */
const temporary = '/tmp'

async function runPkg({ application, made, home, platform }: PkgRun): Promise<void> {
  // A blob is read only by the version that wrote it, and pkg takes the Node that it runs on where that is it.
  const { whole: node } = await fetchRuntime(platformOf(thisMachine()))
  await fillCache(home, platform)
  const args = [pkgProgram(), '--sea', '--output', made, '.']
  const env = { PATH: process.env.PATH, HOME: home, TMPDIR: temporary }
  await tool(node, args, { cwd: application, env })
}

/** Node as pkg would have downloaded and checked it: ours was checked against the pinned hash, and stripped. */
async function fillCache(home: string, platform: Platform): Promise<void> {
  const { stripped } = await fetchRuntime(platform)
  const name = `node-v${platform.node.version}-linux-${platform.arch}`
  const cache = join(home, '.pkg-cache/sea')
  const binary = join(cache, name, 'bin/node')
  await mkdir(dirname(binary), { recursive: true })
  await symlink(stripped, binary)
  const marks = [`${binary}.ok`, join(cache, `${name}.tar.gz`), join(cache, `${name}.tar.gz.ok`)]
  for (const mark of marks) await writeFile(mark, '')
}

const pkgFolder = fileURLToPath(new URL('pkg', import.meta.url))

/** pkg has a lock file of its own: nothing else needs what it brings. */
function pkgProgram(): string {
  installOwnPackages(pkgFolder)
  return join(pkgFolder, 'node_modules/@yao-pkg/pkg/lib-es5/bin.js')
}

/** The path of a temporary folder is in it, with letters that are others each time. */
function withoutItsFolder(executable: Buffer): Buffer {
  const before = `${temporary}/pkg-sea-`
  const at = executable.indexOf(before)
  const after = executable.subarray(at + before.length)
  if (at < 0 || after.subarray(6, 19).toString('latin1') !== '/sea-main.js\x9c') {
    throw toolError({
      code: 'build_tool_failed',
      message: 'pkg has put something else into the executable than is expected',
      hint: 'Was its version changed? Look how it names its temporary folder now.',
    })
  }
  after.fill('0', 0, 6)
  return executable
}

function thisMachine(): PlatformName {
  return process.arch === 'arm64' ? 'arm64' : 'amd64'
}
