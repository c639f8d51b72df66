// How large the packages are, packed as they are published.
import { execFile } from 'node:child_process'
import { mkdir, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { checkout } from '../../../deploy/pi/packaging/tools.ts'

type Platform = 'arm64' | 'armhf'

export interface Packages {
  /** For arm64, undefined when there is none. */
  readonly deb: string | undefined
  /** Of 1 000 000 bytes each. */
  readonly megabytes: Readonly<Partial<Record<Platform, number>>>
}

/** Packages of the agent for both processors, as small as they get: that takes minutes. */
export async function buildPackages(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  const program = join(checkout, 'deploy/pi/packaging/build-pi.ts')
  await promisify(execFile)(process.execPath, [program, 'arm64', 'armhf', '--out', folder])
}

/** Those in a folder. */
export async function readPackages(folder: string): Promise<Packages> {
  const files = await readdir(folder)
  const find = (platform: Platform): string | undefined => {
    const name = files.find(
      (file) => file.startsWith('uraiden-agent_') && file.endsWith(`_${platform}.deb`),
    )
    return name && join(folder, name)
  }
  const sizeOf = async (platform: Platform) => {
    const file = find(platform)
    if (file === undefined) return {}
    return { [platform]: Math.round((await stat(file)).size / 10_000) / 100 }
  }
  const megabytes = { ...(await sizeOf('arm64')), ...(await sizeOf('armhf')) }
  return { deb: find('arm64'), megabytes }
}
