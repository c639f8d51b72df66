import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'

/** A folder that is gone when the test ends. */
export async function temporaryFolder(t: ExecutionContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'uraiden-test-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** What a power cut leaves: the files as they are now, without the lock of the process. */
export async function crashCopy(from: string, to: string): Promise<string> {
  await cp(from, to, { recursive: true })
  await rm(join(to, 'LOCK'))
  return to
}
