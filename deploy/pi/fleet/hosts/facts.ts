// What a host is like now, as host.sh says it.
import { toolError } from '../../../../scripts/lib/shared/errors.ts'

export interface Facts {
  /** Debian's name, such as `arm64`. */
  readonly architecture: string
  /** Of the package; undefined when it is not installed. */
  readonly version: string | undefined
  /** Whether its systemd keeps credentials. */
  readonly credentials: boolean
  /** The password's credential is there. */
  readonly credential: boolean
  /** The password's file is there. */
  readonly password: boolean
  readonly key: boolean
  readonly enabled: boolean
  readonly active: boolean
  /** Undefined where there is none. */
  readonly config: string | undefined
  /** Packages that are kept there, by file name. */
  readonly kept: readonly string[]
}

/** @throws UraidenError `host_malformed` */
export function readFacts(text: string): Facts {
  const lines = text.split('\n').map((line) => line.trim().split(' '))
  const all = (name: string) => lines.flatMap(([key, value]) => (key === name ? [value ?? ''] : []))
  const one = (name: string): string => {
    const [value] = all(name)
    if (value !== undefined) return value
    throw toolError({
      code: 'host_malformed',
      message: `The host does not say its "${name}".`,
    })
  }
  const config = one('config')
  return {
    architecture: one('architecture'),
    version: one('version') || undefined,
    credentials: one('credentials') === 'yes',
    credential: one('credential') === 'yes',
    password: one('password') === 'yes',
    key: one('key') === 'yes',
    enabled: one('enabled') === 'yes',
    active: ['active', 'activating', 'reloading'].includes(one('active')),
    config: config === '' ? undefined : Buffer.from(config, 'base64').toString(),
    kept: all('kept'),
  }
}
