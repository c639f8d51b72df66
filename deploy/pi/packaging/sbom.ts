// What a package is made of, for programs: a software bill of materials as CycloneDX 1.6 has it,
// https://cyclonedx.org/docs/1.6/json/
import type { Licensed } from '../../../scripts/lib/shared/licences.ts'
import type { Platform } from './platforms.ts'
import type { Program } from './programs.ts'

export interface Described {
  readonly program: Program
  readonly platform: Platform
  readonly version: string
  /** Seconds since 1970. */
  readonly date: number
  readonly parts: readonly Licensed[]
  /** Of packages of the registry, `sha512-…`, by name and version as `name@version`. */
  readonly integrity: ReadonlyMap<string, string>
}

/** The same bytes for the same parts. */
export function writeSbom(described: Described): string {
  const { program, platform, version, date, parts, integrity } = described
  const own = `pkg:deb/${program.package}@${version}?arch=${platform.name}`
  const components = parts
    // What others have put into a package's folder is a part of that; a package may be in two folders.
    .filter(
      ({ name, version }, at) =>
        version !== '' &&
        parts.findIndex((each) => each.name === name && each.version === version) === at,
    )
    .map((part) => componentOf(part, integrity.get(`${part.name}@${part.version}`)))
  const bom = {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      timestamp: new Date(date * 1000).toISOString(),
      component: {
        type: 'application',
        'bom-ref': own,
        name: program.package,
        version,
        purl: own,
        licenses: [{ license: { id: 'MIT' } }],
      },
    },
    components,
    dependencies: [{ ref: own, dependsOn: components.map((each) => each['bom-ref']) }],
  }
  return `${JSON.stringify(bom, undefined, 2)}\n`
}

function componentOf({ name, version, licence }: Licensed, integrity: string | undefined) {
  const purl = integrity === undefined ? generic(name, version) : ofRegistry(name, version)
  const [, group, bare = name] = /^(@[^/]+)\/(.+)$/.exec(name) ?? []
  return {
    type: 'library',
    'bom-ref': purl,
    ...(group !== undefined && { group }),
    name: bare,
    version,
    purl,
    licenses: [/[ (]/.test(licence) ? { expression: licence } : { license: { id: licence } }],
    ...(integrity !== undefined && { hashes: [hashOf(integrity)] }),
  }
}

function ofRegistry(name: string, version: string): string {
  return `pkg:npm/${name.replace('@', '%40')}@${version}`
}

function generic(name: string, version: string): string {
  return `pkg:generic/${encodeURIComponent(name.toLowerCase())}@${version}`
}

/** Of the archive in the registry. */
function hashOf(integrity: string) {
  const content = Buffer.from(integrity.replace('sha512-', ''), 'base64').toString('hex')
  return { alg: 'SHA-512', content }
}

/** Of a lock file. */
export function integrityIn(lock: string): ReadonlyMap<string, string> {
  const { packages } = JSON.parse(lock) as {
    readonly packages: Readonly<
      Record<
        string,
        { readonly name?: string; readonly version?: string; readonly integrity?: string }
      >
    >
  }
  return new Map(
    Object.entries(packages).flatMap(([path, { name, version, integrity }]) => {
      const known = name ?? path.replace(/^.*node_modules\//, '')
      return integrity?.startsWith('sha512-') ? [[`${known}@${version}`, integrity] as const] : []
    }),
  )
}
