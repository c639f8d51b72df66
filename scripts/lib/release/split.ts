// Divides a built tree among the packages. Every module is in one of them; what another package has is imported
// from there, so a type or an error is the same whoever brought it.
import { posix } from 'node:path'
import { type Ending, reach, type SourceFile, type Tree } from './modules.ts'
import { libraries, type PackageName, packageNames, shapes } from './shape.ts'

export interface SplitPackage {
  /** Files by their paths, ready to be written. */
  readonly files: ReadonlyMap<string, string>
  /** What its code and its types import from others' packages. */
  readonly imports: ReadonlySet<string>
  readonly typeImports: ReadonlySet<string>
  readonly siblings: ReadonlySet<PackageName>
}

interface Draft {
  readonly files: Map<string, string>
  readonly imports: Set<string>
  readonly typeImports: Set<string>
  readonly siblings: Set<PackageName>
}

/** Where a module's code is, or its types; modules are paths without an ending. */
export type Owners = (module: string, ending: Ending) => PackageName

export interface Split {
  readonly packages: ReadonlyMap<PackageName, SplitPackage>
  readonly owner: Owners
}

export async function splitTree(folder: string): Promise<Split> {
  const [code, types] = await bothOf(folder, packageNames.flatMap(modulesOf))
  const owner = await ownersIn(folder)
  const packages = new Map(packageNames.map((name) => [name, emptyDraft()]))
  fill(packages, owner, code, '.js')
  fill(packages, owner, types, '.d.ts')
  addEntries(packages, owner)
  return { packages, owner }
}

/** A library has what it reaches, and what agent and receiver both reach is apart. All else is the whole's. */
async function ownersIn(folder: string): Promise<Owners> {
  const reached = new Map(
    await Promise.all(
      packageNames.map(async (name) => {
        const [code, types] = await bothOf(folder, modulesOf(name))
        const modules = { '.js': namesOf(code), '.d.ts': namesOf(new Map([...code, ...types])) }
        return [name, modules] as const
      }),
    ),
  )
  return (module, ending) => {
    const found = libraries.find(
      ([start, , reader]) => module.startsWith(start) && reached.get(reader)?.[ending].has(module),
    )
    return found?.[1] ?? 'uraiden-pi'
  }
}

const namesOf = (tree: Tree): ReadonlySet<string> => new Set([...tree.keys()].map(withoutEnding))

const emptyDraft = (): Draft => ({
  files: new Map(),
  imports: new Set(),
  typeImports: new Set(),
  siblings: new Set(),
})

function modulesOf(name: PackageName): readonly string[] {
  return [...Object.values(shapes[name].entries), ...shapes[name].programs]
}

const bothOf = (folder: string, modules: readonly string[]) =>
  Promise.all([reach(folder, modules, '.js'), reach(folder, modules, '.d.ts')])

function withoutEnding(path: string): string {
  return path.replace(/(\.d\.ts|\.js)$/, '')
}

function fill(
  packages: ReadonlyMap<PackageName, Draft>,
  owner: Owners,
  tree: Tree,
  ending: Ending,
): void {
  for (const [path, file] of tree) {
    const name = owner(withoutEnding(path), ending)
    const draft = packages.get(name)
    if (draft === undefined) continue
    draft.files.set(
      path,
      rewritten(path, file, (module) => owner(module, ending)),
    )
    for (const { text, module } of file.specifiers) {
      const home = module === undefined ? undefined : owner(module, ending)
      if (home !== undefined && home !== name) draft.siblings.add(home)
      if (home === undefined) (ending === '.js' ? draft.imports : draft.typeImports).add(text)
    }
  }
}

function rewritten(
  path: string,
  { text, specifiers }: SourceFile,
  homeOf: (module: string) => PackageName,
): string {
  const name = homeOf(withoutEnding(path))
  let result = text
  for (const { text: old, at, module } of [...specifiers].sort((a, b) => b.at - a.at)) {
    if (module === undefined) continue
    const home = homeOf(module)
    const to = home === name ? beside(path, module) : inside(home, module)
    result = `${result.slice(0, at)}${to}${result.slice(at + old.length)}`
  }
  return result
}

function beside(path: string, module: string): string {
  const relative = posix.relative(posix.dirname(path), fileOf(module))
  return relative.startsWith('.') ? relative : `./${relative}`
}

const fileOf = (module: string): string => (module.endsWith('.json') ? module : `${module}.js`)

/** How a package names a module of another one; see `exports` in manifest.ts. */
function inside(home: PackageName, module: string): string {
  return `${home}/internal/${fileOf(module)}`
}

/** An entry whose module another package has is one line here. */
function addEntries(packages: ReadonlyMap<PackageName, Draft>, owner: Owners): void {
  for (const [name, { files, siblings }] of packages) {
    for (const module of Object.values(shapes[name].entries)) {
      const home = owner(module, '.js')
      if (home === name) continue
      const line = `export * from '${inside(home, module)}'\n`
      files.set(`${module}.js`, line)
      files.set(`${module}.d.ts`, line)
      siblings.add(home)
    }
  }
}
