// Which parts of a program share a file: those that are loaded together. A file takes a million instructions to find,
// read and compile, and the daemon needs eighty parts. A part may be in several files; a process loads it once.
import type { Metafile } from 'esbuild'

/** A part, as CommonJS. */
export interface Part {
  /** Of the file that it would be. */
  readonly name: string
  readonly code: string
}

/** Sources that a process loads late, each after those before it: none of them is loaded another way. */
export type Way = readonly string[]

type Outputs = Metafile['outputs']

/**
 * Contents by file: an object with a function for each part. Each source of a way has a file with all that it needs and
 * those before it do not; other parts have one of their own.
 */
export function packed(
  parts: readonly Part[],
  outputs: Outputs,
  ways: readonly Way[],
): ReadonlyMap<string, string> {
  const codes = new Map(parts.map(({ name, code }) => [name, code]))
  const packs = new Map<string, readonly string[]>()
  for (const way of ways) {
    const before = new Set<string>()
    for (const source of way) {
      const entry = entryOf(outputs, source)
      const together = [...neededBy(entry, outputs)].filter((name) => !before.has(name))
      for (const name of together) before.add(name)
      packs.set(entry, together)
    }
  }
  const alone = new Set<string>()
  for (const [name, { entryPoint }] of Object.entries(outputs)) {
    if (entryPoint === undefined || packs.has(name)) continue
    for (const needed of neededBy(name, outputs)) if (!packs.has(needed)) alone.add(needed)
  }
  const files = new Map([...alone].map((name) => [name, [name] as readonly string[]]))
  for (const [name, together] of packs) files.set(name, together)
  return new Map([...files].map(([name, names]) => [name, fileOf(names, codes)]))
}

function entryOf(outputs: Outputs, source: string): string {
  const found = Object.entries(outputs).find(([, { entryPoint }]) => entryPoint === source)
  if (found === undefined) throw new Error(`nothing is loaded late from ${source}`)
  return found[0]
}

/** With itself, and without what it loads late. */
function neededBy(name: string, outputs: Outputs, found = new Set<string>()): ReadonlySet<string> {
  if (found.has(name)) return found
  found.add(name)
  for (const { path, kind } of outputs[name]?.imports ?? []) {
    if (kind === 'import-statement' && path in outputs) neededBy(path, outputs, found)
  }
  return found
}

function fileOf(names: readonly string[], codes: ReadonlyMap<string, string>): string {
  const functions = names.map((name) => {
    return `${JSON.stringify(`./${name}`)}:function(exports,require,module,__filename,__dirname){${codes.get(name)}\n}`
  })
  return `({\n${functions.join(',\n')}})\n`
}
