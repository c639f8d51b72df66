// The package.json of each published package: exactly what its files import, in the versions of this checkout.
import { isBuiltin } from 'node:module'
import { defined } from '../../../protocol/index.ts'
import { packageOf } from './modules.ts'
import { type PackageName, shapes } from './shape.ts'
import type { SplitPackage } from './split.ts'

type Versions = Readonly<Record<string, string>>

/** The package.json of the checkout, as far as it is copied. */
export interface Checkout {
  readonly version: string
  readonly license: string
  readonly engines: Versions
  readonly dependencies: Versions
  readonly optionalDependencies: Versions
  /** Where it lives; only its owner knows. */
  readonly repository?: unknown
  readonly homepage?: unknown
  readonly bugs?: unknown
}

/** Whose types are used where the program brings them itself. */
const broughtByTheProgram: Versions = { express: '>=4' }

export function manifestOf(name: PackageName, parts: SplitPackage, checkout: Checkout): object {
  const { description, bin } = shapes[name]
  const { version, license, engines, repository, homepage, bugs } = checkout
  const peers = peersOf(parts, checkout)
  return {
    name,
    version,
    description,
    license,
    ...defined({ repository, homepage, bugs }),
    type: 'module',
    sideEffects: false,
    engines,
    files: ['dist'],
    ...(bin !== undefined && {
      bin: Object.fromEntries(
        Object.entries(bin).map(([command, module]) => [command, `dist/${module}.js`]),
      ),
    }),
    exports: exportsOf(name),
    dependencies: dependenciesOf(name, parts, checkout),
    ...(peers.length > 0 && {
      peerDependencies: Object.fromEntries(peers),
      peerDependenciesMeta: Object.fromEntries(peers.map(([peer]) => [peer, { optional: true }])),
    }),
    // With a registry that can, whoever installs it sees which commit it was built from.
    publishConfig: { access: 'public', provenance: true },
  }
}

/** `internal` is for the packages of the same version, which are pinned, and for nobody else. */
function exportsOf(name: PackageName): object {
  const entries = Object.entries(shapes[name].entries).map(([entry, module]) => [
    entry,
    { types: `./dist/${module}.d.ts`, default: `./dist/${module}.js` },
  ])
  return {
    ...Object.fromEntries(entries),
    ...(name !== 'uraiden-pi' && {
      './internal/*.js': { types: './dist/*.d.ts', default: './dist/*.js' },
    }),
    './package.json': './package.json',
  }
}

/** @throws Error for an import that the checkout does not depend on */
function dependenciesOf(name: PackageName, parts: SplitPackage, checkout: Checkout): Versions {
  const foreign = namesIn([...parts.imports, ...parts.typeImports]).filter(
    // Optional ones are brought by whoever configures what loads them.
    (each) => !(each in broughtByTheProgram) && !(each in checkout.optionalDependencies),
  )
  const versions = foreign.map((each): [string, string] => {
    const version = checkout.dependencies[each]
    if (version === undefined) throw new Error(`${name} imports ${each}, which is no dependency`)
    return [each, version]
  })
  const siblings = [...parts.siblings].map((each): [string, string] => [each, checkout.version])
  return Object.fromEntries([...siblings, ...versions].sort(([a], [b]) => (a < b ? -1 : 1)))
}

function peersOf(
  { imports, typeImports }: SplitPackage,
  { optionalDependencies }: Checkout,
): readonly (readonly [string, string])[] {
  const types = new Set(namesIn([...typeImports]))
  const loaded = new Set(namesIn([...imports]))
  return [
    ...Object.entries(broughtByTheProgram).filter(([each]) => types.has(each)),
    ...Object.entries(optionalDependencies).filter(([each]) => loaded.has(each)),
  ]
}

function namesIn(specifiers: readonly string[]): readonly string[] {
  return [...new Set(specifiers.filter((each) => !isBuiltin(each)).map(packageOf))]
}
