// Unix sockets for programs on this machine: their file mode says who may connect.

import { lstat, mkdir, unlink } from 'node:fs/promises'
import { connect, type Server } from 'node:net'
import { dirname } from 'node:path'
import type { UraidenError } from '../../protocol/index.ts'
import { platformError } from '../errors/index.ts'

/** Which users may connect. */
export type SocketAccess = 'owner' | 'group' | 'everyone'

const modes: Readonly<Record<SocketAccess, number>> = {
  owner: 0o600,
  group: 0o660,
  everyone: 0o666,
}

/** Of `sun_path`, unix(7), without the zero at its end. */
const longestPath = 107

/**
 * Listens on a new socket at `path`. One that a killed process left behind is replaced; one that
 * somebody answers on is not.
 * @throws UraidenError `socket_in_use`, `socket_unusable`
 */
export async function listenOnSocket(
  server: Server,
  path: string,
  access: SocketAccess,
): Promise<void> {
  if (Buffer.byteLength(path) > longestPath) {
    throw unusable(path, `longer than ${longestPath} bytes`)
  }
  await makeFolder(dirname(path))
  await removeStale(path)
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(unusable(path, error.code)))
    // The file appears with its final mode: there is no moment in which others could connect.
    const before = process.umask(0o777 & ~modes[access])
    try {
      server.listen(path, () => resolve())
    } finally {
      process.umask(before)
    }
  })
}

/** Of the agent's own, when it is missing; one that is there keeps its mode. */
async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw unusable(folder, (error as NodeJS.ErrnoException).code)
  }
}

async function removeStale(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined)
  if (found === undefined) return
  if (!found.isSocket()) throw unusable(path, 'something else is there')
  if ((await reach(path)) !== 'nobody') {
    throw platformError({
      code: 'socket_in_use',
      message: `Another process listens on ${path}.`,
    })
  }
  await unlink(path).catch(() => undefined)
}

/** Whether somebody accepts connections at `path`, and us among them. */
export function reach(path: string): Promise<'somebody' | 'nobody' | 'forbidden'> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve('somebody')
    })
    socket.once('error', ({ code }: NodeJS.ErrnoException) =>
      resolve(code === 'EACCES' ? 'forbidden' : 'nobody'),
    )
  })
}

function unusable(path: string, why: string | undefined): UraidenError {
  return platformError({
    code: 'socket_unusable',
    message: `No socket can be made at ${path} (${why}).`,
  })
}
