// Asks the receiver that runs on this machine, over its Unix socket.
import { request } from 'node:http'
import { UraidenError } from '../../protocol/index.ts'
import { gatewayPath } from '../receiver.ts'

/** Undefined when no receiver runs there. */
export async function askReceiver(socketPath: string, path: string): Promise<string | undefined> {
  const answer = await send(socketPath, path)
  if (answer === undefined || answer.status === 200) return answer?.body
  throw new UraidenError({
    code: 'receiver_refused',
    message: `The receiver answered ${path} with status ${answer.status}.`,
    hint: 'Its log says more; the running program may be of another version.',
  })
}

/** @throws UraidenError `receiver_unreachable` */
function send(
  socketPath: string,
  path: string,
): Promise<{ readonly status: number | undefined; readonly body: string } | undefined> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, path: gatewayPath + path, agent: false }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk) => chunks.push(chunk))
      response.once('error', (error) => reject(unreachable(socketPath, error)))
      response.once('end', () =>
        resolve({ status: response.statusCode, body: Buffer.concat(chunks).toString() }),
      )
    })
    asked.once('error', (error: NodeJS.ErrnoException) => {
      const nobody = error.code === 'ENOENT' || error.code === 'ECONNREFUSED'
      if (nobody) resolve(undefined)
      else reject(unreachable(socketPath, error))
    })
    asked.end()
  })
}

function unreachable(socketPath: string, error: NodeJS.ErrnoException): UraidenError {
  return new UraidenError({
    code: 'receiver_unreachable',
    message: `The receiver cannot be asked at ${socketPath} (${error.code ?? error.message}).`,
    hint: 'Run the command as the receiver’s user; the socket is only for it.',
    cause: error,
  })
}
