// A Debian 12 in a folder, as `npm run test:pi -- --installed` makes it once, and programs that run in it.
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { ExecutionContext } from 'ava'

const run = promisify(execFile)
const cache = fileURLToPath(new URL('../../.cache/build-pi/', import.meta.url))

/** Of its own; removed when the test ends. */
export async function debianFolder(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(cache, 'installed-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  await run('cp', ['-a', '--reflink=auto', `${join(cache, 'debian-amd64')}/.`, folder])
  return folder
}

/** What a command of the Debian begins with, when the user of the program runs it as the unit does. */
export function asItsUser(folder: string, program: string): readonly string[] {
  const user = [`--reuid=${program}`, `--regid=${program}`, '--clear-groups']
  const environment = ['env', '-i', 'PATH=/usr/bin:/bin', 'HOME=/']
  return ['chroot', folder, 'setpriv', ...user, ...environment, program]
}
