// The indices of an apt repository, https://wiki.debian.org/DebianRepository/Format: text, made of facts.

export interface PublishedPackage {
  /** Of the package's control file, as it is. */
  readonly control: string
  /** From the root of the repository. */
  readonly path: string
  /** In bytes. */
  readonly size: number
  readonly sha256: string
}

export interface Index {
  /** From the folder of the suite. */
  readonly path: string
  readonly size: number
  readonly sha256: string
}

export interface SuiteFacts {
  readonly suite: string
  readonly architectures: readonly string[]
  /** Seconds since 1970. */
  readonly date: number
  /** Seconds since 1970, after which apt takes it no more. */
  readonly validUntil?: number
}

/** The file Packages: a paragraph for each, by name and then as apt is told them. */
export function packagesIndex(packages: readonly PublishedPackage[]): string {
  return packages
    .map(
      ({ control, path, size, sha256 }) =>
        `${control.trimEnd()}\nFilename: ${path}\nSize: ${size}\nSHA256: ${sha256}\n`,
    )
    .join('\n')
}

export function releaseFile(facts: SuiteFacts, indices: readonly Index[]): string {
  const { suite, architectures, date, validUntil } = facts
  const width = Math.max(0, ...indices.map(({ size }) => `${size}`.length))
  const lines = [
    'Origin: uRaiden',
    'Label: uRaiden for Raspberry Pi',
    `Suite: ${suite}`,
    `Codename: ${suite}`,
    `Date: ${dateOf(date)}`,
    ...(validUntil === undefined ? [] : [`Valid-Until: ${dateOf(validUntil)}`]),
    'Acquire-By-Hash: yes',
    `Architectures: ${architectures.join(' ')}`,
    'Components: main',
    'Description: uraiden-agent and uraiden-receiver',
    'SHA256:',
    ...indices.map(({ path, size, sha256 }) => ` ${sha256} ${`${size}`.padStart(width)} ${path}`),
  ]
  return `${lines.join('\n')}\n`
}

/** What an earlier Release names: clients that have read it fetch these by their hash. */
export function hashesIn(release: string): readonly string[] {
  return [...release.matchAll(/^ ([0-9a-f]{64}) +\d+ \S+$/gm)].map(([, hash = '']) => hash)
}

/** A field of a control file that is one line. */
export function fieldOf(control: string, name: string): string | undefined {
  return new RegExp(`^${name}: (.*)$`, 'm').exec(control)?.[1]
}

/** For /etc/apt/sources.list.d, in the format of deb822. */
export function sourcesFile(url: string, suite: string, keyring: string): string {
  return `Types: deb
URIs: ${url}
Suites: ${suite}
Components: main
Signed-By: /usr/share/keyrings/${keyring}
`
}

function dateOf(seconds: number): string {
  return new Date(seconds * 1000).toUTCString().replace('GMT', 'UTC')
}
