// Finds the Debian package for a host in the folder where scripts/build-pi has put them.

import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { toolError } from '../../../../scripts/lib/shared/errors.ts'

export interface Package {
  /** Where it is on this computer. */
  readonly path: string
  /** Its name, there and on the host. */
  readonly name: string
  readonly version: string
  readonly architecture: string
}

const pattern = /^uraiden-agent_([A-Za-z0-9.+~-]+)_([a-z0-9]+)\.deb$/

export function packageNamed(name: string, folder: string): Package | undefined {
  const [, version, architecture] = pattern.exec(name) ?? []
  if (version === undefined || architecture === undefined) return undefined
  return { path: join(folder, name), name, version, architecture }
}

/** @throws UraidenError `packages_missing` */
export async function findPackages(folder: string): Promise<readonly Package[]> {
  const names = await readdir(folder).catch((cause) => {
    throw toolError({
      code: 'packages_missing',
      message: `There is no folder of packages ${folder}.`,
      cause,
    })
  })
  return names.sort().flatMap((name) => packageNamed(name, folder) ?? [])
}

/**
 * The one for this architecture, of the given version when one is given.
 * @throws UraidenError `package_missing`, `package_ambiguous`
 */
export function choosePackage(
  packages: readonly Package[],
  architecture: string,
  version?: string,
): Package {
  const fitting = packages.filter(
    (each) =>
      each.architecture === architecture && (version === undefined || each.version === version),
  )
  const [only, ...others] = fitting
  if (only === undefined) {
    const named = version === undefined ? '' : ` of version ${version}`
    throw toolError({
      code: 'package_missing',
      message: `There is no package${named} for ${architecture}.`,
      hint: `Make it: ./scripts/build-pi ${architecture}`,
    })
  }
  if (others.length === 0) return only
  throw toolError({
    code: 'package_ambiguous',
    message: `There are several packages for ${architecture}: ${fitting.map(({ name }) => name).join(', ')}.`,
  })
}

export async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(path), hash)
  return hash.digest('hex')
}
