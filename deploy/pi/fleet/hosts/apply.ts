// Makes one host what the inventory says.
import type { AccountList } from './accounts.ts'
import { type HealthWait, unhealthy, waitForHealth } from './health.ts'
import type { Host } from './host.ts'
import type { HostSettings } from './inventory.ts'
import { choosePackage, type Package } from './packages.ts'
import { passwordStore, planHost, type Step } from './plan.ts'
import { renderConfig, type Template } from './template.ts'

export interface ApplyOptions {
  readonly template: Template
  readonly packages: readonly Package[]
  readonly accounts: AccountList
  readonly wait: HealthWait
  /** Of the package; by default whichever is in the folder. */
  readonly version: string | undefined
}

export interface Applied {
  /** What was done, or with a dry run would be. */
  readonly steps: readonly Step[]
  /** The agent's account; undefined while there is no key. */
  readonly address?: string
  /** It was entered in the list of accounts just now. */
  readonly registered: boolean
  readonly warnings: readonly string[]
}

/** What would be done. The host is only looked at. */
export async function planFor(host: Host, settings: HostSettings, options: ApplyOptions) {
  const facts = await host.facts()
  const file = choosePackage(options.packages, facts.architecture, options.version)
  const config = renderConfig(options.template, settings, passwordStore(facts))
  const key = settings.importKey === undefined ? 'new' : 'import'
  const steps = planHost(facts, { version: file.version, config, key })
  return { facts, file, config, steps }
}

/** @throws UraidenError `host_unhealthy`, `account_changed`, and those of the steps; what was done until then stays */
export async function applyTo(
  host: Host,
  settings: HostSettings,
  options: ApplyOptions,
): Promise<Applied> {
  const { facts, file, config, steps } = await planFor(host, settings, options)
  const former = facts.kept.filter((name) => name.includes(`_${facts.version}_`))
  for (const step of steps) {
    await take(step, host, settings, { file, kept: facts.kept, config })
    if (step.kind === 'install') await host.keep([file.name, ...former])
  }
  const address = await host.address()
  const registered = await options.accounts.register(host.name, address)
  const health = await waitForHealth(host, options.wait)
  if (health.problems.length > 0) throw unhealthy(health)
  return { steps, address, registered, warnings: health.warnings }
}

async function take(
  step: Step,
  host: Host,
  { importKey }: HostSettings,
  wanted: { readonly file: Package; readonly kept: readonly string[]; readonly config: string },
): Promise<void> {
  switch (step.kind) {
    case 'install':
      return host.install(wanted.file, wanted.kept, 'newer')
    case 'password':
      return host.makePassword(step.store)
    case 'key':
      return importKey === undefined ? host.makeKey() : host.importKey(importKey)
    case 'config':
      return host.writeConfig(wanted.config)
    case 'start':
      return host.start()
    case 'reload':
      return host.reload()
  }
}
