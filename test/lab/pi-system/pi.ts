// One emulated Pi with its card through all its lives.

import { mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { tool } from '../../../deploy/pi/packaging/tools.ts'
import { toolError } from '../../../scripts/lib/shared/errors.ts'
import { freePort } from '../processes/free-port.ts'
import type { Base } from './base.ts'
import { type Card, type CardCounts, openCard, type PowerLoss } from './card.ts'
import { createGuest, type Guest } from './guest.ts'
import { type Disk, type MachineOptions, startMachine } from './machine.ts'

/** From power on to power off. */
export interface Life {
  readonly guest: Guest
  /** What the guest has written in this life: to the card, and to the disk of the agent's own. */
  readonly written: () => CardCounts
  readonly writtenToState: () => CardCounts
  readonly cutPower: (random: () => number) => Promise<PowerLoss>
  /** As a person would: resolves when it is off. */
  readonly powerOff: () => Promise<void>
  readonly console: () => Promise<string>
}

export interface Pi {
  readonly boot: (options?: Pick<MachineOptions, 'skipIdle'>) => Promise<Life>
  /** Copies a folder off the card, while it is off, as the next start would find it. */
  readonly readCard: (path: string, into: string) => Promise<void>
}

export interface PiOptions {
  /** A second disk with an empty file system of this label; none without one. */
  readonly stateDisk?: string
}

/** `folder` is for the card and for sockets; the caller removes it. */
export async function createPi(
  base: Base,
  folder: string,
  { stateDisk }: PiOptions = {},
): Promise<Pi> {
  const image = join(folder, 'card.ext4')
  await copySparse(base.image, image)
  const images = [image]
  if (stateDisk !== undefined) {
    const second = join(folder, 'state.ext4')
    await makeFileSystem(second, stateDisk)
    images.push(second)
  }
  return {
    boot: (options) => boot(base, folder, images, options),
    readCard: (path, into) => readCard(image, join(folder, 'copy.ext4'), path, into),
  }
}

/**
 * As Raspberry Pi OS 12 has it (pi-gen): these features, blocks of 4 kB and a journal of 64 MB, which comes from an image of
 * this size. All of it is there at once, so that the kernel has nothing left to do when it is mounted.
 */
async function makeFileSystem(image: string, label: string): Promise<void> {
  const features = ['-O', '^huge_file,^64bit', '-E', 'lazy_itable_init=0,lazy_journal_init=0']
  await tool('mke2fs', ['-q', '-t', 'ext4', ...features, '-L', label, image, '2560M'])
}

async function boot(
  base: Base,
  folder: string,
  images: readonly string[],
  options: Pick<MachineOptions, 'skipIdle'> = {},
): Promise<Life> {
  const cards = await Promise.all(
    images.map((image, number) => openCard(image, join(folder, `card-${number}.sock`))),
  )
  const [disk, second] = cards.map(
    ({ address }): Disk => ({ file: address, cache: 'writeback' }),
  ) as [Disk, Disk?]
  const console = join(folder, 'console')
  const sshPort = await freePort()
  const machine = await startMachine({
    ...base,
    ...options,
    disk,
    ...(second && { second }),
    console,
    sshPort,
  })
  let off = false
  // Also where it ends by itself: an open card would keep this program from ending.
  const ended = machine.ended.then(async () => {
    off = true
    await Promise.all(cards.map((card) => card.close()))
  })
  const guest = createGuest({ port: sshPort, key: base.sshKey, isOff: () => off })
  return {
    guest,
    written: () => countsOf(cards[0]),
    writtenToState: () => countsOf(cards[1]),
    cutPower: async (random) => {
      const losses = cards.map((card) => card.losePower(random))
      await machine.cut()
      await ended
      return {
        unflushed: losses.reduce((sum, { unflushed }) => sum + unflushed, 0),
        lost: losses.reduce((sum, { lost }) => sum + lost, 0),
      }
    },
    powerOff: async () => {
      // It hangs up before it answers.
      await guest.run('systemctl poweroff').catch(() => undefined)
      await ended
    },
    console: () => readFile(console, 'utf8'),
  }
}

function countsOf(card: Card | undefined): CardCounts {
  return card?.counts() ?? { bytes: 0, writes: 0, flushes: 0 }
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
