// What a package is made of, for programs: a software bill of materials.
import { cycloneDx } from '../../../scripts/lib/shared/cyclonedx.ts'
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
  return cycloneDx({
    name: program.package,
    version,
    purl: `pkg:deb/${program.package}@${version}?arch=${platform.name}`,
    date,
    parts: parts
      // What others have put into a package's folder is a part of that; a package may be in two folders.
      .filter(
        ({ name, version }, at) =>
          version !== '' &&
          parts.findIndex((each) => each.name === name && each.version === version) === at,
      )
      .map((part) => ({ ...part, integrity: integrity.get(`${part.name}@${part.version}`) })),
  })
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
