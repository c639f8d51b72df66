// Reads what scripts/lib/web.ts has bundled.
import { readFile } from 'node:fs/promises'
import type { ReadAsset } from './assets.ts'

export function readFrom(folder: URL): ReadAsset {
  return async (file) => {
    try {
      return await readFile(new URL(file, folder))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
  }
}
