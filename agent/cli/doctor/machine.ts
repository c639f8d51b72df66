// Clock, disk, key: what the machine itself has to offer.
import { lookAtDisk } from '../../../platform/cli/disk.ts'
import { failure, ok, warning } from '../../../platform/cli/finding.ts'
import { machineClock } from '../../../platform/time/machine-clock.ts'
import type { Check } from './check.ts'

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

export const diskCheck: Check = {
  name: 'disk',
  look: ({ folder }) => lookAtDisk(folder, 'raise reservation, or change the card'),
}
