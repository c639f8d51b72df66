// Packages that only one tool or test needs have a folder and a lock file of their own.
import { execFileSync } from 'node:child_process'
import { copyFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Installs what the folder's lock file names, unless it was installed before. */
export function installOwnPackages(folder: string): void {
  const lock = join(folder, 'package-lock.json')
  const stamp = join(folder, 'node_modules/.installed')
  if (read(stamp) === read(lock)) return
  execFileSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: folder,
    stdio: ['ignore', 2, 2],
  })
  copyFileSync(lock, stamp)
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
