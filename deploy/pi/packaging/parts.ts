// In a package: runs the parts of the program with what its own Node made of them when the package was built.
// Node's own cache of that kind is in a folder of the user's who made it, and Node 20 has none; and its loader looks at
// much that parts in one folder do not need.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { Script } from 'node:vm'

/**
 * Beside a file. V8 takes it only for the very source, version and flags, and compiles where it does not. Flags are
 * those of the unit, or a person's, who has none.
 */
export const cacheOf = (file: string, { NODE_OPTIONS: flags = '' } = process.env): string =>
  `${file}.${flags === '' ? 'plain.' : ''}cache`

export interface Loading {
  readonly compiled?: (file: string, script: Script) => void
  /** A file's name in stack traces, which is in its cache. */
  readonly nameOf?: (file: string) => string
}

/** As packs.ts writes it. */
type Part = (
  exports: unknown,
  require: (id: string) => unknown,
  module: Loaded,
  file: string,
  folder: string,
) => void

interface Loaded {
  exports: unknown
}

/** Loads parts of a program that are files in `folder`, by their names with `./`; and modules of Node. */
export function partsIn(
  folder: string,
  { compiled, nameOf = String }: Loading = {},
): (id: string) => unknown {
  const require = createRequire(import.meta.url)
  const parts = new Map<string, Part>()
  const loaded = new Map<string, Loaded>()

  function read(id: string): Part | undefined {
    const file = join(folder, id)
    // Bundles are ASCII: see their test.
    const source = readFileSync(file, 'latin1')
    const script = new Script(source, { filename: nameOf(file), ...cached(file) })
    compiled?.(file, script)
    const read: Readonly<Record<string, Part>> = script.runInThisContext()
    for (const [name, part] of Object.entries(read)) parts.set(name, part)
    return parts.get(id)
  }

  return function load(id: string): unknown {
    if (!id.startsWith('./')) return require(id)
    const known = loaded.get(id)
    if (known !== undefined) return known.exports
    const part = parts.get(id) ?? read(id)
    parts.delete(id)
    const module: Loaded = { exports: {} }
    loaded.set(id, module)
    part?.(module.exports, load, module, join(folder, id), folder)
    return module.exports
  }
}

function cached(file: string): { readonly cachedData?: Buffer } {
  try {
    return { cachedData: readFileSync(cacheOf(file)) }
  } catch {
    // A processor that the build could not run.
    return {}
  }
}
