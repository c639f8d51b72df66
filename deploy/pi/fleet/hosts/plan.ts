// What has to be done to a host so that it is as the inventory says: a pure function of what it is like.
import { parseYaml } from '../../../../platform/config/yaml.ts'
import { isUraidenError, shorten } from '../../../../protocol/index.ts'
import type { Facts } from './facts.ts'
import type { PasswordStore } from './template.ts'

export type Step =
  | { readonly kind: 'install'; readonly from: string | undefined; readonly to: string }
  | { readonly kind: 'password'; readonly store: PasswordStore }
  | { readonly kind: 'key'; readonly how: 'new' | 'import' }
  | { readonly kind: 'config'; readonly lines: readonly string[] }
  | { readonly kind: 'start' }
  | { readonly kind: 'reload' }

export interface Wanted {
  readonly version: string
  readonly config: string
  readonly key: 'new' | 'import'
}

/** Where the password is, or is to be. What is there stays: the key would be lost without it. */
export function passwordStore({ credential, password, credentials }: Facts): PasswordStore {
  if (credential) return 'credential'
  if (password) return 'file'
  return credentials ? 'credential' : 'file'
}

/** In the order in which they are to be done; none when all is as it should be. */
export function planHost(facts: Facts, wanted: Wanted): readonly Step[] {
  const { version, credential, password, key, enabled, active } = facts
  const lines = changedSettings(facts.config, wanted.config)
  const running = enabled && active
  const steps: (Step | false)[] = [
    version !== wanted.version && { kind: 'install', from: version, to: wanted.version },
    !credential && !password && { kind: 'password', store: passwordStore(facts) },
    !key && { kind: 'key', how: wanted.key },
    lines.length > 0 && { kind: 'config', lines },
    !running && { kind: 'start' },
    running && lines.length > 0 && { kind: 'reload' },
  ]
  return steps.filter((step) => step !== false)
}

/**
 * Names of settings that go, with `-`, that come, with `+`, and that have another value, with `~`. No values:
 * keys of services are among them, and what is said here is kept in logs.
 */
export function changedSettings(before: string | undefined, after: string): readonly string[] {
  if (before === after) return []
  if (before === undefined) return ['+ all of it']
  const old = settingsIn(before)
  if (old === undefined) return ['~ all of it: what is there cannot be read']
  const wanted = settingsIn(after) ?? new Map<string, string>()
  const gone = [...old.keys()].filter((name) => !wanted.has(name)).map((name) => `- ${name}`)
  const come = [...wanted].flatMap(([name, value]) => {
    if (!old.has(name)) return [`+ ${name}`]
    return old.get(name) === value ? [] : [`~ ${name}`]
  })
  const changed = [...gone, ...come].map((line) => shorten(line, 200))
  return changed.length > 0 ? changed : ['  the same settings, written in another way']
}

/** Values by name, such as `jobs.temperature.every`; undefined where it is not YAML. */
function settingsIn(text: string): ReadonlyMap<string, string> | undefined {
  try {
    return new Map(namedValues(parseYaml(text, 'agent.yaml').value, ''))
  } catch (error) {
    if (isUraidenError(error, 'config_invalid')) return undefined
    throw error
  }
}

function namedValues(value: unknown, name: string): readonly (readonly [string, string])[] {
  if (typeof value !== 'object' || value === null || Object.keys(value).length === 0) {
    return [[name, JSON.stringify(value) ?? '']]
  }
  return Object.entries(value).flatMap(([key, each]) =>
    namedValues(each, name === '' ? key : `${name}.${key}`),
  )
}

export function stepText(step: Step): string {
  switch (step.kind) {
    case 'install':
      return step.from === undefined
        ? `install ${step.to}`
        : `install ${step.to} in place of ${step.from}`
    case 'password':
      return step.store === 'credential'
        ? 'make the key’s password, kept by systemd'
        : 'make the key’s password, in a file'
    case 'key':
      return step.how === 'new' ? 'make a key' : 'import the key'
    case 'config':
      return 'write /etc/uraiden/agent.yaml'
    case 'start':
      return 'enable and start the service'
    case 'reload':
      return 'let the service read its configuration'
  }
}
