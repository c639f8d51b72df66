// A program, its Node and its addons as one file: Node's "single executable application".
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundleExecutable } from './bundle.ts'
import { noticesOf, writeCopyright } from './copyright.ts'
import { type Platform, type PlatformName, platformOf } from './platforms.ts'
import type { Program } from './programs.ts'
import { fetchRuntime } from './runtime.ts'
import { sourceDate, tool } from './tools.ts'
import { readAddon, sbomOf } from './tree.ts'

/** What Node looks for in itself: https://nodejs.org/docs/latest-v24.x/api/single-executable-applications.html */
const section = 'NODE_SEA_BLOB'
const sentinelFuse = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2'

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
  const inside = (name: string) => join(work, name)
  try {
    await writeFile(inside('main.cjs'), code)
    const assets: Record<string, string> = {}
    for (const addon of addons) {
      assets[addon.file] = inside(addon.file)
      await writeFile(inside(addon.file), await readAddon(addon, platform, runtime))
    }
    const config = {
      main: inside('main.cjs'),
      output: inside('blob'),
      assets,
      disableExperimentalSEAWarning: true,
      // Both would have to be made on the machine itself, and gain nothing (docs/design/performance.md).
      useSnapshot: false,
      useCodeCache: false,
    }
    await writeFile(inside('config.json'), JSON.stringify(config))
    // A blob is read only by the version that wrote it; the processor does not matter.
    const { whole: node } = await fetchRuntime(platformOf(thisMachine()))
    await tool(node, ['--experimental-sea-config', inside('config.json')])
    const file = join(into, `${program.package}-${version}-${platform.name}`)
    await copyFile(runtime.stripped, inside('node'))
    const added = [inside('node'), section, inside('blob'), '--sentinel-fuse', sentinelFuse]
    // Its program: the library writes warnings that mean nothing to standard error.
    const postject = fileURLToPath(import.meta.resolve('postject/dist/cli.js'))
    await tool(process.execPath, [postject, ...added])
    await copyFile(inside('node'), file)
    const parts = await noticesOf({ inputs, addons }, platform, runtime)
    await writeFile(`${file}.copyright`, await writeCopyright(parts))
    const described = { program, platform, version, date: await sourceDate() }
    await writeFile(`${file}.cdx.json`, await sbomOf(described, parts))
    return file
  } finally {
    await rm(work, { recursive: true })
  }
}

function thisMachine(): PlatformName {
  return process.arch === 'arm64' ? 'arm64' : 'amd64'
}
