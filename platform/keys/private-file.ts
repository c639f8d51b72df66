// Files whose content is worth money: read and written so that nobody else sees them.

import { type FileHandle, open } from 'node:fs/promises'
import { isUraidenError, type UraidenError } from '../../protocol/index.ts'
import { platformError } from '../errors/index.ts'
import { type FileText, readUtf8, saveAsUtf8 } from '../text/utf8.ts'

/** Far more than any key file has; a device or a log given by mistake is not read to its end. */
const mostBytes = 65_536

/** What decides whether a file is private, as plain data. */
export interface FileFacts {
  readonly path: string
  readonly mode: number
  /** User id of the owner. */
  readonly owner: number
}

/**
 * Refuses a file that another user can read, or could have written.
 * @throws UraidenError `key_file_readable_by_others`, `key_file_of_another_user`
 */
export function checkPrivate({ path, mode, owner }: FileFacts, user: number): void {
  // root reads everything anyway, and systemd hands out credentials that belong to root.
  if (owner !== user && owner !== 0) {
    throw platformError({
      code: 'key_file_of_another_user',
      message: `The file ${path} belongs to user ${owner}, not to user ${user} who runs this program.`,
      hint: `Run the program as user ${owner}, or: chown ${user} ${path}`,
    })
  }
  if ((mode & 0o077) !== 0) {
    throw platformError({
      code: 'key_file_readable_by_others',
      message: `Others can read the file ${path} (mode ${(mode & 0o777).toString(8)}).`,
      hint: `What is in it is worth money. Run: chmod 600 ${path}`,
    })
  }
}

/**
 * The text of a file that only its owner can read; `whose` is `anyone` for what is done on the owner's behalf.
 * @throws UraidenError `key_file_missing`, `key_file_unreadable`, `key_file_readable_by_others`,
 * `key_file_of_another_user`
 */
export function readPrivateFile(path: string, whose: 'own' | 'anyone' = 'own'): Promise<string> {
  return withFile(path, async (file) => {
    // Of the open file, not of the path: nobody can exchange it between the check and the reading.
    const { mode, uid } = await file.stat()
    const user = whose === 'own' ? process.getuid?.() : uid
    checkPrivate({ path, mode, owner: uid }, user ?? uid)
    return readText(file, path)
  })
}

/** systemd guards the folder of credentials; inside it modes are systemd's own business. */
export function readCredentialFile(path: string): Promise<string> {
  return withFile(path, (file) => readText(file, path))
}

/**
 * Writes a new file of mode 0600, synced to the disk. An existing file is never replaced.
 * @throws UraidenError `key_file_exists`, `key_file_unwritable`
 */
export async function writePrivateFile(path: string, text: string): Promise<void> {
  try {
    const file = await open(path, 'wx', 0o600)
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
  } catch (error) {
    const exists = errorCode(error) === 'EEXIST'
    throw platformError({
      code: exists ? 'key_file_exists' : 'key_file_unwritable',
      message: exists
        ? `There is a file ${path} already.`
        : `The file ${path} cannot be written (${errorCode(error)}).`,
      hint: exists
        ? 'A key is never overwritten: move the file away first, or name another one.'
        : 'Check that the folder exists and belongs to you.',
      cause: error,
    })
  }
}

async function withFile(
  path: string,
  read: (file: FileHandle) => Promise<string>,
): Promise<string> {
  let file: FileHandle
  try {
    file = await open(path, 'r')
  } catch (error) {
    throw unreadable(path, error)
  }
  try {
    return await read(file)
  } finally {
    await file.close()
  }
}

async function readText(file: FileHandle, path: string): Promise<string> {
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(mostBytes + 1), 0, mostBytes + 1, 0)
    const found = readUtf8(buffer.subarray(0, bytesRead))
    buffer.fill(0)
    if (bytesRead <= mostBytes) return textOf(found, path)
  } catch (error) {
    throw isUraidenError(error) ? error : unreadable(path, error)
  }
  throw platformError({
    code: 'key_file_unreadable',
    message: `The file ${path} is larger than ${mostBytes} bytes: it is no key and no password.`,
    hint: 'Check the path.',
  })
}

function textOf(found: FileText, path: string): string {
  if ('text' in found) return found.text
  throw platformError({
    code: 'key_file_unreadable',
    message: `The file ${path} is ${found.is}.`,
    hint: `${saveAsUtf8} ${path}`,
  })
}

function unreadable(path: string, error: unknown): UraidenError {
  const missing = errorCode(error) === 'ENOENT'
  return platformError({
    code: missing ? 'key_file_missing' : 'key_file_unreadable',
    message: missing
      ? `There is no file ${path}.`
      : `The file ${path} cannot be read (${errorCode(error)}).`,
    hint: missing ? 'Check the path.' : 'Check the file’s owner and mode.',
    cause: error,
  })
}

function errorCode(error: unknown): string | undefined {
  return (error as { readonly code?: string }).code
}
