// Puts an earlier version back on a host that runs.
import { toolError } from '../../../../scripts/lib/shared/errors.ts'
import type { Facts } from './facts.ts'
import { unhealthy, waitForHealth } from './health.ts'
import type { Host } from './host.ts'
import { type Package, packageNamed } from './packages.ts'
import { installedVersion, type Updated, type UpdateOptions } from './update.ts'

/**
 * The package alone goes back; ledger, key and configuration stay as they are. A version that cannot read what the
 * newer one has written refuses to start: then nothing is lost, and the newer package, which stays on the host, is
 * the way out.
 * @throws UraidenError `host_not_provisioned`, `former_package_missing` (nothing was done), `host_unhealthy`
 */
export async function rollBackHost(host: Host, options: UpdateOptions): Promise<Updated> {
  const facts = await host.facts()
  const from = installedVersion(host, facts)
  const former = earlierPackage(host, facts, options)
  await host.install(former, facts.kept, 'older')
  await host.start()
  const health = await waitForHealth(host, options.wait)
  if (health.problems.length > 0) throw unhealthy(health)
  return { from, to: former.version, warnings: health.warnings }
}

/** The newest below the version now, or the one that was asked for; the Pi's own before those of this computer. */
function earlierPackage(
  host: Host,
  { version = '', kept, architecture }: Facts,
  { packages, version: wanted }: UpdateOptions,
): Package {
  const there = kept.flatMap((name) => packageNamed(name, '') ?? [])
  const [found] = [...there, ...packages]
    .filter((each) => each.architecture === architecture)
    .filter((each) => isBelow(each.version, version))
    .filter((each) => wanted === undefined || each.version === wanted)
    .sort((a, b) => (isBelow(a.version, b.version) ? 1 : isBelow(b.version, a.version) ? -1 : 0))
  if (found !== undefined) return found
  const which = wanted === undefined ? `below ${version}` : `${wanted}, below ${version},`
  throw toolError({
    code: 'former_package_missing',
    message: `No package of a version ${which} is on ${host.name} or here.`,
  })
}

/** Of versions of ours, which are numbers. */
function isBelow(left: string, right: string): boolean {
  return left.localeCompare(right, 'en', { numeric: true }) < 0
}
