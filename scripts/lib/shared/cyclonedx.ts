// A software bill of materials as CycloneDX 1.6 has it, https://cyclonedx.org/docs/1.6/json/. The same bytes for
// the same parts.

export interface Part {
  readonly name: string
  readonly version: string
  /** An SPDX identifier or expression. */
  readonly licence: string
  /** Of a package of the npm registry, `sha512-…`; what is not from there has none. */
  readonly integrity?: string | undefined
}

export interface Described {
  readonly name: string
  readonly version: string
  /** https://github.com/package-url/purl-spec */
  readonly purl: string
  /** Seconds since 1970. */
  readonly date: number
  readonly parts: readonly Part[]
}

export function cycloneDx({ name, version, purl, date, parts }: Described): string {
  const components = parts.map(componentOf)
  const bom = {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      timestamp: new Date(date * 1000).toISOString(),
      component: {
        type: 'application',
        'bom-ref': purl,
        name,
        version,
        purl,
        licenses: [{ license: { id: 'MIT' } }],
      },
    },
    components,
    dependencies: [{ ref: purl, dependsOn: components.map((each) => each['bom-ref']) }],
  }
  return `${JSON.stringify(bom, undefined, 2)}\n`
}

function componentOf({ name, version, licence, integrity }: Part) {
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

export function ofRegistry(name: string, version: string): string {
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
