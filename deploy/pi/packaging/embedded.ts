// Inside a single executable: native code is a file that only its program sees, and dlopen(3) wants one of the system.
import { randomUUID } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * The path of an addon, written first where it is not there as this executable has it.
 * @throws Error when the folder cannot be written, or others may write to it
 */
export function addonFile(name: string): string {
  const contents = readFileSync(fileURLToPath(new URL(name, import.meta.url)))
  const folder = ownFolder()
  const file = join(folder, name)
  if (!holds(file, contents)) {
    // Another process may be doing the same; and what runs already keeps what it has loaded.
    const made = `${file}.${randomUUID()}`
    writeFileSync(made, contents, { mode: 0o600, flag: 'wx' })
    renameSync(made, file)
  }
  return file
}

/** systemd's for caches where the unit has one, else a person's own. */
function ownFolder(): string {
  const { CACHE_DIRECTORY, XDG_CACHE_HOME } = process.env
  const folder = CACHE_DIRECTORY ?? join(XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'uraiden')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  // What is loaded from it runs with our rights, beside the key.
  const { uid, mode } = statSync(folder)
  if (uid !== process.getuid?.() || (mode & 0o022) !== 0) {
    throw new Error(`${folder} belongs to somebody else, or others may write to it`)
  }
  return folder
}

function holds(file: string, contents: Buffer): boolean {
  try {
    return readFileSync(file).equals(contents)
  } catch {
    return false
  }
}
