// What has to be done to a host so that it is as the inventory says: a pure function of what it is like.
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
  const lines = changedLines(facts.config, wanted.config)
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

/** Lines that go, with `-`, and lines that come, with `+`; those that moved count as both. */
export function changedLines(before: string | undefined, after: string): readonly string[] {
  if (before === after) return []
  if (before === undefined) return ['+ all of it']
  const [old, new_] = [before.split('\n'), after.split('\n')]
  const gone = old.filter((line) => !new_.includes(line)).map((line) => `- ${withoutSecret(line)}`)
  const come = new_.filter((line) => !old.includes(line)).map((line) => `+ ${withoutSecret(line)}`)
  return gone.length + come.length > 0 ? [...gone, ...come] : ['  the same lines in another order']
}

/** A broker's password may be in the configuration; it is not for logs. */
function withoutSecret(line: string): string {
  return line
    .replace(/((?:password|secret|token|authorization)['"]?\s*:\s*).+/i, '$1…')
    .replace(/\/\/[^/@\s]+@/g, '//…@')
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
