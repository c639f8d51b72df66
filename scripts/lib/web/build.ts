// Bundles the pages. Nothing of it is committed: it is made when packages are installed and when the
// package is built.
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { type Licensed, licencesOf } from '../shared/licences.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))

const rooms = {
  agent: { folder: 'agent/program/page', entries: { agent: 'web', spending: 'web/chart' } },
  receiver: {
    folder: 'receiver/web',
    entries: { paywall: 'pages/paywall', dashboard: 'pages/dashboard' },
  },
} as const

export type Room = keyof typeof rooms

/** The newest browsers of 2023 run it; wallets need newer ones. */
const target = ['chrome110', 'firefox110', 'safari16']

/** Writes each room's pages into its folder `assets`, below `folder`: the checkout or a built package. */
export async function buildPages(folder = root): Promise<void> {
  for (const room of Object.keys(rooms) as Room[]) {
    const assets = join(resolve(folder), rooms[room].folder, 'assets')
    await mkdir(assets, { recursive: true })
    const { files, inputs } = await bundlePages(room)
    const written: [string, Uint8Array | string][] = [
      ...files,
      ['NOTICES.txt', notices(await licencesOf(inputs))],
    ]
    for (const [name, contents] of written) {
      // Whoever reads it meanwhile gets the old one or the new one, never half of it.
      const made = join(assets, `${name}.${process.pid}`)
      await writeFile(made, contents)
      await rename(made, join(assets, name))
    }
  }
}

function notices(licences: readonly Licensed[]): string {
  const parts = licences.map(({ name, version, text }) => `${name} ${version}\n\n${text.trim()}\n`)
  return ['Software of others in the scripts and styles beside this file.\n', ...parts].join('\n')
}

export interface BundledPages {
  /** Scripts and styles by their file names. */
  readonly files: ReadonlyMap<string, Uint8Array>
  /** What they are made of, relative to the checkout. */
  readonly inputs: readonly string[]
}

export async function bundlePages(room: Room): Promise<BundledPages> {
  const files = new Map<string, Uint8Array>()
  const inputs = new Set<string>()
  const { folder: own, entries } = rooms[room]
  for (const [page, path] of Object.entries(entries)) {
    const folder = join(root, own, path)
    for (const [name, entry] of [
      [`${page}.js`, 'main.ts'],
      [`${page}.css`, `${page}.css`],
    ] as const) {
      const made = await bundle(join(folder, entry))
      files.set(name, made.contents)
      for (const input of made.inputs) inputs.add(input)
    }
  }
  return { files, inputs: [...inputs] }
}

async function bundle(entry: string) {
  const { outputFiles, metafile } = await build({
    entryPoints: [entry],
    absWorkingDir: root,
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target,
    legalComments: 'none',
    metafile: true,
    write: false,
  })
  const [file] = outputFiles
  if (file === undefined) throw new Error(`nothing came out of ${basename(entry)}`)
  return { contents: file.contents, inputs: Object.keys(metafile.inputs) }
}
