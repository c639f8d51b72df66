// Replaces a file whole or not at all, whenever the power goes.

import { open, readFile, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { UraidenError } from '../../../protocol/index.ts'
import { receiverError } from '../../errors/index.ts'

/**
 * Writes a file of mode 0600 and syncs it before it takes the place of what has this name.
 * @throws UraidenError `backup_unwritable`; the old file, if any, is still there
 */
export async function replaceFile(path: string, text: string): Promise<void> {
  const partial = `${path}.partial`
  try {
    // Of an earlier run that was killed; also never write through somebody else's link.
    await rm(partial, { force: true })
    const file = await open(partial, 'wx', 0o600)
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(partial, path)
    const folder = await open(dirname(path), 'r')
    try {
      // The new name is on disk only when the folder is.
      await folder.sync()
    } finally {
      await folder.close()
    }
  } catch (cause) {
    await rm(partial, { force: true }).catch(() => undefined)
    throw fileError('backup_unwritable', `The backup ${path} cannot be written`, cause)
  }
}

/** @throws UraidenError `backup_unreadable` */
export async function readBackupFile(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw fileError('backup_unreadable', `The backup ${path} cannot be read`, cause)
  }
}

function fileError(
  code: 'backup_unreadable' | 'backup_unwritable',
  what: string,
  cause: unknown,
): UraidenError {
  return receiverError({
    code,
    message: `${what} (${(cause as NodeJS.ErrnoException).code}).`,
    cause,
  })
}
