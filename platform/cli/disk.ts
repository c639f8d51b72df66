// What a doctor command says about the disk under a state folder.
import { mkdir, open, rm, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { type Finding, failure, ok, warning } from './finding.ts'

const leastFree = 50n * 1024n * 1024n
/** Milliseconds. */
const slowSync = 500

/** `remedy` is what to do about a disk that syncs slowly. */
export async function lookAtDisk(folder: string, remedy: string): Promise<Finding> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const { mode } = await stat(folder)
    if ((mode & 0o077) !== 0) return failure(`Others can read ${folder}. Run: chmod 700 ${folder}`)
    const { bavail, bsize } = await statfs(folder, { bigint: true })
    const free = bavail * bsize
    const sync = await timeOfSync(join(folder, '.doctor'))
    const says = `${folder}, ${free / 1024n ** 2n} MiB free, one sync takes ${sync} ms`
    if (free < leastFree) return failure(`${says}. Free some space: payments must be written down.`)
    return sync > slowSync ? warning(`${says}. That is slow; ${remedy}.`) : ok(says)
  } catch (error) {
    const { code } = error as { readonly code?: string }
    return failure(`${folder} cannot be written (${code}). Check its owner: it should be yours.`)
  }
}

async function timeOfSync(path: string): Promise<number> {
  const file = await open(path, 'w', 0o600)
  try {
    await file.writeFile('x'.repeat(4096))
    const began = performance.now()
    await file.sync()
    return Math.round(performance.now() - began)
  } finally {
    await file.close()
    await rm(path, { force: true })
  }
}
