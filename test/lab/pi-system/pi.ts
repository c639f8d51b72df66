// One emulated Pi with its card through all its lives.

import { mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { tool } from '../../../deploy/pi/packaging/tools.ts'
import { toolError } from '../../../scripts/lib/shared/errors.ts'
import { freePort } from '../processes/free-port.ts'
import type { Base } from './base.ts'
import { type CardCounts, openCard, type PowerLoss } from './card.ts'
import { createGuest, type Guest } from './guest.ts'
import { startMachine } from './machine.ts'

/** From power on to power off. */
export interface Life {
  readonly guest: Guest
  /** What the guest has written to the card in this life. */
  readonly written: () => CardCounts
  readonly cutPower: (random: () => number) => Promise<PowerLoss>
  /** As a person would: resolves when it is off. */
  readonly powerOff: () => Promise<void>
  readonly console: () => Promise<string>
}

export interface Pi {
  readonly boot: () => Promise<Life>
  /** Copies a folder off the card, while it is off, as the next start would find it. */
  readonly readCard: (path: string, into: string) => Promise<void>
}

/** `folder` is for the card and for sockets; the caller removes it. */
export async function createPi(base: Base, folder: string): Promise<Pi> {
  const image = join(folder, 'card.ext4')
  await copySparse(base.image, image)
  return {
    boot: () => boot(base, folder, image),
    readCard: (path, into) => readCard(image, join(folder, 'copy.ext4'), path, into),
  }
}

async function boot(base: Base, folder: string, image: string): Promise<Life> {
  const card = await openCard(image, join(folder, 'card.sock'))
  const console = join(folder, 'console')
  const sshPort = await freePort()
  const disk = { file: card.address, cache: 'writeback' } as const
  const machine = await startMachine({ ...base, disk, console, sshPort })
  let off = false
  void machine.ended.then(() => {
    off = true
  })
  const guest = createGuest({ port: sshPort, key: base.sshKey, isOff: () => off })
  return {
    guest,
    written: card.counts,
    cutPower: async (random) => {
      const loss = card.losePower(random)
      await machine.cut()
      await card.close()
      return loss
    },
    powerOff: async () => {
      // It hangs up before it answers.
      await guest.run('systemctl poweroff').catch(() => undefined)
      await machine.ended
      await card.close()
    },
    console: () => readFile(console, 'utf8'),
  }
}

async function readCard(image: string, copy: string, path: string, into: string): Promise<void> {
  await copySparse(image, copy)
  await rm(into, { recursive: true, force: true })
  await mkdir(into, { recursive: true })
  // What the kernel does when it mounts; rdump cannot.
  await tool('e2fsck', ['-y', '-E', 'journal_only', copy])
  const said = await tool('debugfs', ['-R', `rdump ${path} ${into}`, copy])
  await rm(copy)
  if (said.trim() !== '') {
    throw toolError({
      code: 'card_unreadable',
      message: `${path} cannot be read from the card: ${said.trim()}`,
    })
  }
}

/** Most of an image is holes. */
async function copySparse(from: string, to: string): Promise<void> {
  await tool('cp', ['--reflink=auto', '--sparse=always', from, to])
}
