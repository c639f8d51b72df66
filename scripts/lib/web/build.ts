// Bundles the pages. Nothing of it is committed: it is made when packages are installed and when the
// package is built.
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('../../../', import.meta.url))
const pages = join(root, 'receiver/web/pages')

const entries = {
  paywall: [join(pages, 'paywall/main.ts'), join(pages, 'paywall/paywall.css')],
  dashboard: [join(pages, 'dashboard/main.ts'), join(pages, 'dashboard/dashboard.css')],
}

/** The newest browsers of 2023 run it; wallets need newer ones. */
const target = ['chrome110', 'firefox110', 'safari16']

export async function buildPages(folder = join(root, 'receiver/web/assets')): Promise<void> {
  await mkdir(folder, { recursive: true })
  for (const [name, [script = '', style = '']] of Object.entries(entries)) {
    await bundle(script, join(folder, `${name}.js`))
    await bundle(style, join(folder, `${name}.css`))
  }
}

async function bundle(entry: string, to: string): Promise<void> {
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
  // Whoever reads it meanwhile gets the old one or the new one, never half of it.
  const made = `${to}.${process.pid}`
  await writeFile(made, file.contents)
  await rename(made, to)
}
