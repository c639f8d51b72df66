// Clock, disk, key: what the machine itself has to offer.
import { mkdir, open, rm, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { machineClock } from '../../budget/machine-clock.ts'
import { type Check, type Finding, failure, ok, warning } from './check.ts'

export const clockCheck: Check = {
  name: 'clock',
  look: async ({ config }) => {
    const { synchronised } = machineClock(config.clock ?? 'auto')()
    const now = new Date().toISOString()
    if (synchronised) return ok(config.clock === 'trusted' ? `trusted, ${now}` : 'synchronised')
    return warning(
      `${now}, not known to be synchronised: spent budgets stay spent until it is. Run: timedatectl set-ntp true, or set clock: trusted.`,
    )
  },
}

export const keyCheck: Check = {
  name: 'key',
  look: async ({ config, signer }) =>
    signer === undefined
      ? failure(`${config.key} could not be opened.`)
      : ok(`${signer.address}, ${config.key} is readable by its owner only`),
}

const leastFree = 50n * 1024n * 1024n
const slowSync = 500

export const diskCheck: Check = {
  name: 'disk',
  look: async ({ folder }) => {
    try {
      return await lookAtDisk(folder)
    } catch (error) {
      const { code } = error as { readonly code?: string }
      return failure(`${folder} cannot be written (${code}). Check its owner: it should be yours.`)
    }
  },
}

async function lookAtDisk(folder: string): Promise<Finding> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const { mode } = await stat(folder)
  if ((mode & 0o077) !== 0) return failure(`Others can read ${folder}. Run: chmod 700 ${folder}`)
  const { bavail, bsize } = await statfs(folder, { bigint: true })
  const free = bavail * bsize
  const sync = await timeOfSync(join(folder, '.doctor'))
  const says = `${folder}, ${free / 1024n ** 2n} MiB free, one sync takes ${sync} ms`
  if (free < leastFree) return failure(`${says}. Free some space: payments must be written down.`)
  if (sync > slowSync)
    return warning(`${says}. That is slow; raise reservation, or change the card.`)
  return ok(says)
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
