// Installs another version, and goes back to the former one when it does not come up healthy.

import { isUraidenError, type UraidenError } from '../../../../protocol/index.ts'
import { toolError } from '../../../../scripts/lib/shared/errors.ts'
import type { Facts } from './facts.ts'
import { type Health, type HealthWait, waitForHealth } from './health.ts'
import type { Host } from './host.ts'
import { choosePackage, type Package, packageNamed } from './packages.ts'

export interface UpdateOptions {
  readonly packages: readonly Package[]
  readonly version: string | undefined
  readonly wait: HealthWait
}

export interface Updated {
  readonly from: string
  readonly to: string
  readonly warnings: readonly string[]
}

/**
 * The state stays as it is, also on the way back: an older copy of it would sign balances again that are
 * spent. A version that cannot read what the newer one has written refuses to start, and loses nothing.
 * @throws UraidenError `update_rolled_back`, `update_stuck`, `former_package_missing` (nothing was done)
 */
export async function updateHost(host: Host, options: UpdateOptions): Promise<Updated> {
  const facts = await host.facts()
  const from = installedVersion(host, facts)
  const file = choosePackage(options.packages, facts.architecture, options.version)
  const former = formerPackage(host, facts, options.packages, file)
  const problem = await tryOut(host, facts, file, options.wait)
  if (problem.problems.length === 0) {
    await host.keep([file.name, ...(former ? [former.name] : [])])
    return { from, to: file.version, warnings: problem.warnings }
  }
  if (former === undefined) throw stuck(file, problem, 'there is no former package')
  throw await rolledBack(host, facts, { file, former, problem, wait: options.wait })
}

/** @throws UraidenError `host_not_provisioned` */
export function installedVersion(host: Host, { version, enabled }: Facts): string {
  if (version !== undefined && enabled) return version
  throw toolError({
    code: 'host_not_provisioned',
    message: 'There is no agent that is enabled.',
    hint: `Set it up first: provision apply ${host.name}`,
  })
}

/** The way back has to be there before the first step. */
function formerPackage(
  host: Host,
  { version, kept, architecture }: Facts,
  packages: readonly Package[],
  wanted: Package,
): Package | undefined {
  const there = kept.flatMap((name) => packageNamed(name, '') ?? [])
  // The wanted one is installed already when an earlier run was killed before it had looked at it.
  if (version === wanted.version) return there.find((each) => each.version !== version)
  const former = [...there, ...packages].find(
    (each) => each.version === version && each.architecture === architecture,
  )
  if (former !== undefined) return former
  throw toolError({
    code: 'former_package_missing',
    message: `The package of version ${version}, which ${host.name} has now, is neither there nor here.`,
  })
}

async function tryOut(
  host: Host,
  { version, kept }: Facts,
  file: Package,
  wait: HealthWait,
): Promise<Health> {
  try {
    if (version !== file.version) {
      await host.install(file, kept, 'newer')
      await host.start()
    }
  } catch (error) {
    if (!isUraidenError(error) || error.code !== 'host_command_failed') throw error
    return { problems: [error.message], warnings: [] }
  }
  return waitForHealth(host, wait)
}

interface Attempt {
  readonly file: Package
  readonly former: Package
  readonly problem: Health
  readonly wait: HealthWait
}

async function rolledBack(
  host: Host,
  { kept }: Facts,
  { file, former, problem, wait }: Attempt,
): Promise<UraidenError> {
  await host.install(former, kept, 'older')
  await host.start()
  const health = await waitForHealth(host, wait)
  if (health.problems.length > 0) {
    return stuck(file, problem, `nor is ${former.version}: ${health.problems.join('; ')}`)
  }
  return toolError({
    code: 'update_rolled_back',
    message: `${file.version} did not come up healthy (${problem.problems.join('; ')}); ${former.version} runs again.`,
  })
}

function stuck(file: Package, { problems }: Health, also: string): UraidenError {
  return toolError({
    code: 'update_stuck',
    message: `${file.version} is not healthy (${problems.join('; ')}), and ${also}.`,
  })
}
