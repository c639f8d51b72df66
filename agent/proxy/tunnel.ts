// CONNECT: an encrypted tunnel to somebody else, where the configuration says so.
import { connect } from 'node:net'
import type { Duplex } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { UraidenError } from '../../protocol/index.ts'
import type { Authority } from './target.ts'

/** A tunnel without a byte for so long is given up, in milliseconds. */
const longestSilence = 10 * 60_000

/**
 * Resolves when the tunnel is over.
 * @throws UraidenError `receiver_unreachable` before it stands
 */
export async function tunnel(
  { host, port }: Authority,
  timeout: number,
  socket: Duplex,
  head: Buffer,
): Promise<void> {
  const target = connect({ host, port })
  await new Promise<void>((resolve, reject) => {
    const fail = (code: string | undefined) => {
      target.destroy()
      reject(
        new UraidenError({
          code: 'receiver_unreachable',
          message: `${host}:${port} cannot be reached (${code}).`,
          hint: 'Check the address and the network.',
        }),
      )
    }
    target.setTimeout(timeout, () => fail('ETIMEDOUT'))
    target.once('error', (error: NodeJS.ErrnoException) => fail(error.code))
    target.once('connect', resolve)
    socket.once('close', () => target.destroy())
  })
  target.setTimeout(longestSilence, () => target.destroy())
  socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
  // What came with the CONNECT belongs to the tunnel.
  target.write(head)
  // One side that breaks off ends the other: that is all there is to tell.
  await Promise.allSettled([pipeline(socket, target), pipeline(target, socket)])
}
