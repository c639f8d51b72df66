import { rmSync } from 'node:fs'
import { access, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}

export interface Scratch {
  readonly folder: string
  readonly remove: () => void
}

/** A folder for images of a gigabyte: it goes with this program, whatever ends it. */
export async function openScratch(): Promise<Scratch> {
  const folder = await mkdtemp(join(tmpdir(), 'uraiden-pi-'))
  const remove = () => rmSync(folder, { recursive: true, force: true })
  process.once('exit', remove)
  return {
    folder,
    remove: () => {
      process.removeListener('exit', remove)
      remove()
    },
  }
}
