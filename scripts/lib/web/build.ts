// Bundles the pages. Nothing of it is committed: it is made when packages are installed and when the
// package is built.
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('../../../', import.meta.url))

const pages = {
  agent: ['agent'],
  receiver: ['paywall', 'dashboard'],
} as const

export type Room = keyof typeof pages

/** The newest browsers of 2023 run it; wallets need newer ones. */
const target = ['chrome110', 'firefox110', 'safari16']

/** Writes each room's pages into its `web/assets`, below `folder`. */
export async function buildPages(folder = root): Promise<void> {
  for (const room of Object.keys(pages) as Room[]) {
    const assets = join(resolve(folder), room, 'web/assets')
    await mkdir(assets, { recursive: true })
    for (const [name, contents] of await bundlePages(room)) {
      // Whoever reads it meanwhile gets the old one or the new one, never half of it.
      const made = join(assets, `${name}.${process.pid}`)
      await writeFile(made, contents)
      await rename(made, join(assets, name))
    }
  }
}

/** Scripts and styles of a room's pages, by their file names. */
export async function bundlePages(room: Room): Promise<ReadonlyMap<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>()
  for (const page of pages[room]) {
    const folder = join(root, room, 'web/pages', page)
    files.set(`${page}.js`, await bundle(join(folder, 'main.ts')))
    files.set(`${page}.css`, await bundle(join(folder, `${page}.css`)))
  }
  return files
}

async function bundle(entry: string): Promise<Uint8Array> {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target,
    legalComments: 'none',
    write: false,
  })
  const [file] = outputFiles
  if (file === undefined) throw new Error(`nothing came out of ${basename(entry)}`)
  return file.contents
}
