// A program as JavaScript that the Node of its package runs: one file and what it loads late, and one file for
// each of its threads.
import { readFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { type BuildOptions, build, type Metafile, type Plugin, transform } from 'esbuild'
import { bundlePages } from '../../../scripts/lib/web/build.ts'
import { type Addon, type AddonPath, addons, besideBundle, loaderOf } from './addons.ts'
import { packed, type Way } from './packs.ts'
import type { Program } from './programs.ts'
import { checkout } from './tools.ts'

export interface Bundle {
  /** Contents by path, relative to the program's folder. */
  readonly files: ReadonlyMap<string, string | Uint8Array>
  /** Files that are in it, those of the pages too, relative to the checkout. */
  readonly inputs: readonly string[]
  readonly addons: readonly Addon[]
}

export async function bundleProgram({
  package: name,
  commandLine,
  threads,
  imports,
  ways,
}: Program): Promise<Bundle> {
  const files = new Map<string, string | Uint8Array>()
  const inputs = new Set<string>()
  const path = besideBundle
  const made = await Promise.all([
    ...(imports
      ? [bundleFile({ name: `${name}.cjs`, source: commandLine, imports, path })]
      : [
          bundleParts({ name: programFile, source: commandLine, imports, path }, ways),
          bundleFile({ name: `${name}.cjs`, source: starter, imports, path }),
        ]),
    ...Object.entries(threads).map(([thread, source]) =>
      bundleFile({ name: thread, source, imports, path }),
    ),
  ])
  for (const each of made) {
    for (const [file, code] of each.files) files.set(file, code)
    for (const input of each.inputs) inputs.add(input)
  }
  const used = addons.filter(({ loader }) => inputs.has(loader))
  return { files, inputs: [...inputs].sort(), addons: used }
}

/** What a program in parts begins with, in a file of the program's name. */
const programFile = 'program.cjs'
const starter = `
import { partsIn } from './deploy/pi/packaging/parts.ts'
partsIn(__dirname)('./${programFile}')
`

/** For `compileCache`. */
export async function bundleCacheMaker(): Promise<string> {
  const source = "import './deploy/pi/packaging/caching.ts'"
  const name = 'caching.cjs'
  const { files } = await bundleFile({ name, source, imports: false, path: besideBundle })
  return files.get(name) ?? ''
}

/** As one file, with what is inside the executable as its addons. */
export async function bundleExecutable({ package: name, imports, commandLine: source }: Program) {
  const embedded = join(checkout, 'deploy/pi/packaging/embedded.ts')
  const path: AddonPath = ({ file }) =>
    `require(${JSON.stringify(embedded)}).addonFile(${JSON.stringify(file)})`
  const { files, inputs } = await bundleFile({ name, source, imports, path })
  const code = files.get(name) ?? ''
  return { code, inputs, addons: addons.filter(({ loader }) => inputs.includes(loader)) }
}

interface BundledFile {
  readonly name: string
  readonly source: string
  readonly imports: boolean
  readonly path: AddonPath
}

interface BundledFiles {
  /** JavaScript by file. */
  readonly files: ReadonlyMap<string, string>
  readonly inputs: readonly string[]
}

/**
 * Without comments and white space: V8 keeps all of a source in memory, and two bytes a letter where one of
 * them is beyond Latin-1. Names stay, for stack traces; lines stay short, because an uncaught error prints the
 * one it comes from.
 */
const small = {
  platform: 'node',
  target: 'node20.11',
  legalComments: 'none',
  charset: 'ascii',
  minifyWhitespace: true,
  lineLimit: 120,
} as const satisfies BuildOptions

const banner = "const bundleUrl = require('node:url').pathToFileURL(__filename).href"

/** All in one file. What the sources load late is run late in it too. */
async function bundleFile(bundled: BundledFile): Promise<BundledFiles> {
  const { options, ofPages } = bundling(bundled)
  const { outputFiles, metafile } = await build({
    ...options,
    format: 'cjs',
    supported: { 'dynamic-import': bundled.imports },
    banner: { js: banner },
  })
  const [file] = outputFiles
  if (file === undefined) throw new Error('esbuild made no file')
  const files = new Map([[bundled.name, file.text]])
  return { files, inputs: [...filesIn(metafile), ...ofPages] }
}

/**
 * What the sources load late is in files of its own, which are read when they are loaded: a process that stays
 * does not keep the source of what it never uses. esbuild parts modules only of ECMAScript; each part becomes
 * CommonJS afterwards, because another loader would have to start for them.
 */
async function bundleParts(bundled: BundledFile, ways: readonly Way[]): Promise<BundledFiles> {
  const { options, ofPages } = bundling(bundled)
  const { outputFiles, metafile } = await build({
    ...options,
    format: 'esm',
    splitting: true,
    outdir: checkout,
    entryNames: bundled.name.replace(/\.cjs$/, ''),
    chunkNames: '[name]-[hash]',
    outExtension: { '.js': '.cjs' },
    plugins: [...options.plugins, withoutEffects, builtinsLate],
  })
  const parts = await Promise.all(
    outputFiles.map(async ({ path, text }) => {
      const { code } = await transform(withNames(text), {
        ...small,
        format: 'cjs',
        supported: { 'dynamic-import': false },
        banner: text.includes('bundleUrl') ? banner : '',
      })
      return { name: basename(path), code }
    }),
  )
  const files = packed(
    parts,
    metafile.outputs,
    [[], ...ways].map((way) => [`${bundled.name}.ts`, ...way]),
  )
  return { files, inputs: [...filesIn(metafile), ...ofPages] }
}

/** What stands in place of a module is in no file. */
function filesIn({ inputs }: Metafile): readonly string[] {
  const ours = [insteadNamespace, late].map((namespace) => `${namespace}:`)
  return Object.keys(inputs).filter((input) => !ours.some((begin) => input.startsWith(begin)))
}

/** Of a package of CommonJS esbuild exports the whole only, as its default, to whoever loads it late. */
function withNames(part: string): string {
  return part.replace(/export default (require_\w+\(\));/, 'module.exports=$1;')
}

/** A state that several machines share is for servers, which run the npm package. */
const notOnAPi = ['pg', 'postgrator']

function bundling({ name, source, path }: BundledFile) {
  const ofPages = new Set<string>()
  const options = {
    ...small,
    stdin: { contents: source, resolveDir: checkout, sourcefile: `${name}.ts`, loader: 'ts' },
    absWorkingDir: checkout,
    bundle: true,
    external: [...notOnAPi],
    define: { 'import.meta.url': 'bundleUrl' },
    plugins: [
      ...addons.map((addon) => addonFrom(addon, path)),
      pagesInBundle(ofPages),
      oneLanguage,
      packagesLate,
      onlyUsedOfGot,
    ],
    metafile: true,
    write: false,
  } as const satisfies BuildOptions
  return { options, ofPages }
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

/**
 * None of our modules does anything for others by being loaded, so whoever takes a few things from an index gets the
 * files that they are in, and not all that the index names.
 */
const withoutEffects: Plugin = {
  name: 'without-effects',
  setup({ onResolve }) {
    onResolve({ filter: /^\.{1,2}\/.*\.ts$/ }, ({ path, resolveDir }) => {
      return { path: join(resolveDir, path), sideEffects: false }
    })
  },
}

/** Modules of Node with much behind them, which many files import and few processes need. */
const heavy = ['assert', 'child_process', 'crypto', 'https', 'worker_threads', 'zlib'] as const

const late = 'builtins-late'

/** They are loaded when something of them is used for the first time: packages, too, import all at their beginning. */
const builtinsLate: Plugin = {
  name: late,
  setup({ onResolve, onLoad }) {
    const filter = new RegExp(`^(node:)?(${heavy.join('|')})$`)
    onResolve({ filter }, ({ path, namespace }) => {
      if (namespace === late) return undefined
      return { path: path.replace('node:', ''), namespace: late }
    })
    onLoad({ filter, namespace: late }, async ({ path }) => {
      const names = Object.keys(await import(`node:${path}`)).filter((name) => name !== 'default')
      // Some are functions.
      const contents = `let loaded
const load = () => (loaded ??= require('node:${path}'))
module.exports = (...given) => load()(...given)
for (const name of ${JSON.stringify(names)}) {
  Object.defineProperty(module.exports, name, { get: () => load()[name], enumerable: true })
}
`
      return { contents, loader: 'js' }
    })
  },
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

/** What packages do when they are loaded, and need not: as it stands there, and done when it is used. */
const eager: readonly (readonly [file: string, begin: RegExp, late: string])[] = [
  // got's checks make two formats of ICU, for a message: megabytes of its data are read.
  [
    '@sindresorhus/is/distribution/index.js',
    /new Intl\.ListFormat\([^()]*\)/g,
    '{ format: (list) => $&.format(list) }',
  ],
  // Threads are for logs that go elsewhere.
  ['pino/lib/transport.js', /const ThreadStream = require\('thread-stream'\)/, ''],
  ['pino/lib/transport.js', /new ThreadStream\(/, "new (require('thread-stream'))("],
  ['pino/lib/tools.js', /const \{ isMainThread \} = /, 'const threads = '],
  ['pino/lib/tools.js', /&& isMainThread/, '&& threads.isMainThread'],
]

const packagesLate: Plugin = {
  name: 'packages-late',
  setup({ onLoad }) {
    const files = new Set(eager.map(([file]) => file))
    const filter = new RegExp(`/node_modules/(${[...files].join('|').replaceAll('.', '\\.')})$`)
    onLoad({ filter }, async ({ path }) => {
      let contents = await readFile(path, 'utf8')
      for (const [file, begin, late] of eager) {
        if (path.endsWith(`/${file}`)) contents = contents.replace(begin, late)
      }
      return { contents, loader: 'js' }
    })
  },
}

/**
 * got can do what no program here asks of it: HTTP/2, a cache of answers, one of names. Whoever does is told. TLS is
 * loaded with the first encrypted request.
 */
const onlyUsedOfGot: Plugin = {
  name: 'only-used-of-got',
  setup({ onResolve, onLoad }) {
    const places = new RegExp(`^(?:${Object.keys(insteadOfGots).join('|')})$`)
    const namespace = insteadNamespace
    onResolve({ filter: places }, ({ path, importer }) =>
      importer.includes('/node_modules/got/') ? { path, namespace } : undefined,
    )
    onLoad({ filter: /^/, namespace }, ({ path }) => ({
      contents: insteadOfGots[path] ?? '',
      loader: 'js',
      resolveDir: checkout,
    }))
  },
}

const insteadNamespace = 'instead-of-gots'

const unused = (name: string) => `() => { throw new Error('${name} is not in this program') }`

const insteadOfGots: Readonly<Record<string, string>> = {
  'http2-wrapper': `export default new Proxy({}, { get: ${unused('HTTP/2')} })`,
  'cacheable-request': `export class CacheError extends Error {}
export default class { constructor() { (${unused('a cache of answers')})() } }`,
  'cacheable-lookup': `export default class { constructor() { (${unused('a cache of names')})() } }`,
  'node:https': `export default { request: (...given) => require('node:https').request(...given) }`,
  'node:tls': `export const checkServerIdentity = (...given) => require('node:tls').checkServerIdentity(...given)`,
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
