// Asks the receiver that runs on this machine, over its Unix socket.

import { request } from 'node:http'
import { UraidenError } from '../../../protocol/index.ts'
import { gatewayPath } from '../../core/receiver.ts'
import { receiverError } from '../../errors/index.ts'

/**
 * Undefined when no receiver runs there. With `json` it is a POST.
 * @throws UraidenError `receiver_unreachable`, `receiver_refused`, and what the receiver itself says
 */
export async function askReceiver(
  socketPath: string,
  path: string,
  json?: object,
): Promise<string | undefined> {
  const answer = await send(socketPath, path, json && JSON.stringify(json))
  if (answer === undefined || answer.status === 200) return answer?.body
  throw problemOf(answer.body) ?? refused(path, answer.status)
}

interface Answer {
  readonly status: number | undefined
  readonly body: string
}

function send(
  socketPath: string,
  path: string,
  body: string | undefined,
): Promise<Answer | undefined> {
  const options = {
    ...{ socketPath, path: gatewayPath + path, agent: false },
    ...(body !== undefined && {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
    }),
  }
  return new Promise((resolve, reject) => {
    const asked = request(options, (response) => {
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
    asked.end(body)
  })
}

/** The receiver's own error (RFC 9457); undefined when the answer is none. */
function problemOf(body: string): UraidenError | undefined {
  try {
    const { code, detail } = JSON.parse(body) as { readonly [field: string]: unknown }
    if (typeof code !== 'string' || typeof detail !== 'string') return undefined
    return new UraidenError({ code, message: detail, hint: 'The running receiver said so.' })
  } catch {
    return undefined
  }
}

function refused(path: string, status: number | undefined): UraidenError {
  return receiverError({
    code: 'receiver_refused',
    message: `The receiver answered ${path} with status ${status}.`,
  })
}

function unreachable(socketPath: string, error: NodeJS.ErrnoException): UraidenError {
  return receiverError({
    code: 'receiver_unreachable',
    message: `The receiver cannot be asked at ${socketPath} (${error.code ?? error.message}).`,
    cause: error,
  })
}
