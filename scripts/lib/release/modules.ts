// The modules of a built tree and what they import, code and declarations apart: a module of which only the
// types are needed ships no code.
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join, posix } from 'node:path'
import ts from 'typescript'

export interface Specifier {
  readonly text: string
  /** Of the quoted text in the source, the quotes not included. */
  readonly at: number
  /** A file of the tree without its ending, or undefined for what is in another package. */
  readonly module: string | undefined
}

export interface SourceFile {
  readonly text: string
  readonly specifiers: readonly Specifier[]
}

/** Of others, and yet in the tree; see bundled.ts. */
export const bundledLibrary = { name: 'ethers', module: 'platform/bundled/ethers' } as const

export type Ending = '.js' | '.d.ts'

/** Files by their paths in the tree. */
export type Tree = ReadonlyMap<string, SourceFile>

/** All that the modules reach, themselves included. Modules are paths without an ending. */
export async function reach(
  folder: string,
  modules: readonly string[],
  ending: Ending,
): Promise<Tree> {
  const found = new Map<string, SourceFile>()
  const open = [...modules]
  for (let module = open.pop(); module !== undefined; module = open.pop()) {
    const path = pathOf(module, ending)
    if (found.has(path) || !existsSync(join(folder, path))) continue
    const file = await read(folder, path)
    found.set(path, file)
    open.push(...file.specifiers.flatMap(({ module: next }) => next ?? []))
  }
  return found
}

/** JSON is imported by its whole name. */
function pathOf(module: string, ending: Ending): string {
  return module.endsWith('.json') ? module : `${module}${ending}`
}

async function read(folder: string, path: string): Promise<SourceFile> {
  const text = withoutMap(await readFile(join(folder, path), 'utf8'))
  if (path.endsWith('.json')) return { text, specifiers: [] }
  const { importedFiles } = ts.preProcessFile(text, true, true)
  const specifiers = importedFiles.map(({ fileName, pos }) => ({
    text: fileName,
    at: pos + 1,
    module: moduleOf(path, fileName),
  }))
  return { text, specifiers }
}

function moduleOf(from: string, specifier: string): string | undefined {
  if (specifier === bundledLibrary.name) return bundledLibrary.module
  if (!specifier.startsWith('.')) return undefined
  return posix.join(posix.dirname(from), specifier).replace(/\.[jt]s$/, '')
}

/** Maps hold every source once more: half of a package's size. */
function withoutMap(text: string): string {
  return text.replace(/\n\/\/# sourceMappingURL=.*\s*$/, '\n')
}

/** The package that a specifier names: `@noble/hashes` of `@noble/hashes/sha3.js`. */
export function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}
