// The agent's command line as one file of JavaScript that Node 20.11 runs.
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { build, type Plugin } from 'esbuild'
import { bundlePages } from '../web/build.ts'
import { checkout } from './tools.ts'

export interface Bundle {
  readonly code: string
  /** Folders of the packages in it, for their licences. */
  readonly packages: readonly string[]
}

/** As agent/cli/main.ts, which waits at the top level: CommonJS cannot. */
const entry = `
import { runCommandLine } from './platform/cli/run.ts'
import { exitCodeOf } from './agent/cli/exit-codes.ts'
import { agentProgram } from './agent/cli/program.ts'
void runCommandLine({ program: agentProgram, exitCodeOf }).then((code) => {
  process.exitCode = code
})
`

/**
 * Not minified: an uncaught error would print a line of 200 kB. What the sources load late is run
 * late in the bundle too.
 */
export async function bundleAgent(): Promise<Bundle> {
  const { outputFiles, metafile } = await build({
    stdin: { contents: entry, resolveDir: checkout, sourcefile: 'uraiden-agent.ts', loader: 'ts' },
    absWorkingDir: checkout,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20.11',
    // Modules of Node are required, where they are loaded late too: no second loader has to start.
    supported: { 'dynamic-import': false },
    banner: { js: "const bundleUrl = require('node:url').pathToFileURL(__filename).href" },
    define: { 'import.meta.url': 'bundleUrl' },
    plugins: [addonBesideBundle, pagesInBundle],
    legalComments: 'none',
    charset: 'ascii',
    metafile: true,
    write: false,
  })
  const [file] = outputFiles
  if (file === undefined) throw new Error('esbuild made no file')
  return { code: file.text, packages: packagesIn(Object.keys(metafile.inputs)) }
}

/** node-gyp-build looks for the addon in folders of node_modules, which a package does not have. */
const addonBesideBundle: Plugin = {
  name: 'addon-beside-bundle',
  setup({ onLoad }) {
    onLoad({ filter: /node_modules\/classic-level\/binding\.js$/ }, async () => ({
      contents: await readFile(join(checkout, 'scripts/lib/build-pi/addon.cjs'), 'utf8'),
      loader: 'js',
    }))
  },
}

/** A page's files are not beside the bundle but in it: there is one file to install, or to run. */
const pagesInBundle: Plugin = {
  name: 'pages-in-bundle',
  setup({ onLoad }) {
    onLoad({ filter: /\/(agent|receiver)\/web\/files\.ts$/ }, async ({ path }) => {
      const room = path.endsWith('/agent/web/files.ts') ? 'agent' : 'receiver'
      const files = [...(await bundlePages(room))].map(([name, contents]) => [
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

function packagesIn(inputs: readonly string[]): readonly string[] {
  const folder = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/
  const folders = inputs.map((input) => folder.exec(input)?.[0] ?? '')
  return [...new Set(folders.filter((path) => path !== '' && dirname(path) !== '.'))].sort()
}
