// In a package: runs the files of the program with what its own Node made of them when the package was built.
// Node's own cache of that kind is in a folder of the user's who made it, and Node 20 has none.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { Script } from 'node:vm'

/** Beside a file. V8 takes it only for the very source, version and flags, and compiles where it does not. */
export const cacheOf = (file: string): string => `${file}.cache`

export interface Loading {
  readonly compiled?: (file: string, script: Script) => void
  /** A file's name in stack traces, which is in its cache. */
  readonly nameOf?: (file: string) => string
}

/** From now on every file that is required. */
export function loadCached({ compiled, nameOf = String }: Loading = {}): NodeJS.Require {
  const require = createRequire(import.meta.url)
  require.extensions['.cjs'] = (loaded, file) => {
    // Bundles are ASCII: see their test.
    const source = readFileSync(file, 'latin1')
    const wrapped = `(function (exports, require, module, __filename, __dirname) {${source}\n})`
    const script = new Script(wrapped, { filename: nameOf(file), ...cached(file) })
    compiled?.(file, script)
    const requires = (id: string): unknown => loaded.require(id)
    script.runInThisContext()(loaded.exports, requires, loaded, file, dirname(file))
  }
  return require
}

function cached(file: string): { readonly cachedData?: Buffer } {
  try {
    return { cachedData: readFileSync(cacheOf(file)) }
  } catch {
    // A processor that the build could not run.
    return {}
  }
}
