// A program as JavaScript that the Node of its package runs: one file, and one for each of its threads.
import { dirname, join } from 'node:path'
import { build, type Plugin } from 'esbuild'
import { bundlePages } from '../../../scripts/lib/web/build.ts'
import { type Addon, type AddonPath, addons, besideBundle, loaderOf } from './addons.ts'
import type { Program } from './programs.ts'
import { checkout } from './tools.ts'

export interface Bundle {
  /** Contents by path, relative to the program's folder. */
  readonly files: ReadonlyMap<string, string | Uint8Array>
  /** Files that are in it, those of the pages too, relative to the checkout. */
  readonly inputs: readonly string[]
  readonly addons: readonly Addon[]
}

export async function bundleProgram(program: Program): Promise<Bundle> {
  const files = new Map<string, string | Uint8Array>()
  const inputs = new Set<string>()
  for (const [name, source] of Object.entries(program.bundles)) {
    const made = await bundleFile({ name, source, imports: program.imports, path: besideBundle })
    files.set(name, made.code)
    for (const input of made.inputs) inputs.add(input)
  }
  const used = addons.filter(({ loader }) => inputs.has(loader))
  return { files, inputs: [...inputs].sort(), addons: used }
}

/** As one file, with what is inside the executable as its addons. */
export async function bundleExecutable(program: Program) {
  const { package: name, imports } = program
  const embedded = join(checkout, 'deploy/pi/packaging/embedded.ts')
  const path: AddonPath = ({ file }) =>
    `require(${JSON.stringify(embedded)}).addonFile(${JSON.stringify(file)})`
  const source = program.bundles[`${name}.cjs`] ?? ''
  const { code, inputs } = await bundleFile({ name, source, imports, path })
  return { code, inputs, addons: addons.filter(({ loader }) => inputs.includes(loader)) }
}

interface BundledFile {
  readonly name: string
  readonly source: string
  readonly imports: boolean
  readonly path: AddonPath
}

/**
 * Without comments and white space: V8 keeps all of a source in memory, and two bytes a letter where one of
 * them is beyond Latin-1. Names stay, for stack traces; lines stay short, because an uncaught error prints the
 * one it comes from. What the sources load late is run late in the bundle too.
 */
async function bundleFile({ name, source, imports, path }: BundledFile) {
  const ofPages = new Set<string>()
  const { outputFiles, metafile } = await build({
    stdin: { contents: source, resolveDir: checkout, sourcefile: `${name}.ts`, loader: 'ts' },
    absWorkingDir: checkout,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20.11',
    supported: { 'dynamic-import': imports },
    banner: { js: "const bundleUrl = require('node:url').pathToFileURL(__filename).href" },
    define: { 'import.meta.url': 'bundleUrl' },
    plugins: [
      ...addons.map((addon) => addonFrom(addon, path)),
      pagesInBundle(ofPages),
      oneLanguage,
    ],
    legalComments: 'none',
    charset: 'ascii',
    minifyWhitespace: true,
    lineLimit: 120,
    metafile: true,
    write: false,
  })
  const [file] = outputFiles
  if (file === undefined) throw new Error('esbuild made no file')
  return { code: file.text, inputs: [...Object.keys(metafile.inputs), ...ofPages] }
}

function addonFrom(addon: Addon, path: AddonPath): Plugin {
  const filter = new RegExp(`/${addon.loader.replaceAll('.', '\\.')}$`)
  return {
    name: `addon-${addon.name}`,
    setup({ onLoad }) {
      onLoad({ filter }, () => ({
        contents: loaderOf(addon, path),
        loader: 'js',
        resolveDir: join(checkout, dirname(addon.loader)),
      }))
    },
  }
}

/** Of zod's fifty translations of its messages the programs show the English one. */
const oneLanguage: Plugin = {
  name: 'one-language',
  setup({ onLoad }) {
    onLoad({ filter: /\/zod\/v4\/locales\/index\.js$/ }, () => ({
      contents: "export { default as en } from './en.js'",
      loader: 'js',
    }))
  },
}

/** A page's files are not beside the bundle but in it: there is one file to install, or to run. */
function pagesInBundle(inputs: Set<string>): Plugin {
  return {
    name: 'pages-in-bundle',
    setup({ onLoad }) {
      onLoad({ filter: /\/(agent\/program\/page|receiver\/web)\/files\.ts$/ }, async ({ path }) => {
        const room = path.endsWith('/agent/program/page/files.ts') ? 'agent' : 'receiver'
        const pages = await bundlePages(room)
        for (const input of pages.inputs) inputs.add(input)
        const files = [...pages.files].map(([name, contents]) => [
          name,
          Buffer.from(contents).toString('utf8'),
        ])
        const contents = `const files = new Map(${JSON.stringify(files)})
export const readAsset = async (file) => files.has(file) ? Buffer.from(files.get(file)) : undefined
`
        return { contents, loader: 'js' }
      })
    },
  }
}
