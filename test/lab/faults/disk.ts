// A small disk of its own for a program's state, that can be filled to the last byte.
import { execFile } from 'node:child_process'
import { closeSync, openSync, rmSync, writeSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

export interface Disk {
  /** For the program's state. */
  readonly folder: string
  readonly fill: () => void
  readonly free: () => void
  readonly remove: () => Promise<void>
}

const megabytes = 24

/** A mount needs root; without it the disk is a folder, and cannot be filled. */
export async function makeDisk(place: string, mayMount: boolean): Promise<Disk> {
  await mkdir(place, { recursive: true })
  if (mayMount) await run('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', place])
  const folder = join(place, 'state')
  await mkdir(folder, { mode: 0o700 })
  const ballast = join(place, 'ballast')
  return {
    folder,
    fill: () => fill(ballast),
    free: () => rmSync(ballast, { force: true }),
    remove: async () => {
      if (mayMount) await run('umount', ['--lazy', place])
    },
  }
}

/** Whether this process may mount; tried, because a container's root may not. */
export async function canMount(folder: string): Promise<boolean> {
  try {
    const disk = await makeDisk(join(folder, 'try'), true)
    await disk.remove()
    return true
  } catch {
    return false
  }
}

function fill(file: string): void {
  const descriptor = openSync(file, 'a')
  try {
    for (const size of [1 << 20, 4096, 1]) writeUntilFull(descriptor, Buffer.alloc(size))
  } finally {
    closeSync(descriptor)
  }
}

function writeUntilFull(descriptor: number, piece: Buffer): void {
  try {
    for (;;) writeSync(descriptor, piece)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
  }
}
