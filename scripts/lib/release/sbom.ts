// What whoever installs the npm packages gets with them: by the lock file, whose versions the packages depend on
// exactly. `npm sbom --omit=dev` leaves out what a tool of ours needs as well, such as undici. The Debian packages
// have bills of their own (deploy/pi/packaging/sbom.ts).
import { cycloneDx, ofRegistry, type Part } from '../shared/cyclonedx.ts'

interface Locked {
  readonly name?: string
  readonly version?: string
  readonly license?: string
  readonly integrity?: string
  readonly dev?: true
}

/**
 * @param lock text of package-lock.json
 * @param date seconds since 1970
 */
export function npmSbom(lock: string, version: string, date: number): string {
  const { packages } = JSON.parse(lock) as { readonly packages: Readonly<Record<string, Locked>> }
  const parts = new Map<string, Part>()
  for (const [path, locked] of Object.entries(packages)) {
    const { version: of, license: licence = 'LicenseRef-unknown', integrity } = locked
    if (path === '' || locked.dev || of === undefined) continue
    const name = locked.name ?? path.replace(/^.*node_modules\//, '')
    parts.set(`${name}@${of}`, { name, version: of, licence, integrity })
  }
  const sorted = [...parts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, part]) => part)
  const purl = ofRegistry('uraiden-pi', version)
  return cycloneDx({ name: 'uraiden-pi', version, purl, date, parts: sorted })
}
