// Reading and refusing of the page's requests, with limits.

import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { type Exchange, readContent } from '../../../platform/web/request.ts'
import { isUraidenError } from '../../../protocol/index.ts'
import { agentError } from '../../errors/index.ts'
import { encodeError } from '../control/wire.ts'

/** Bytes of an action. */
const mostInput = 4096

/** @throws UraidenError `page_input_too_large` */
export async function readText(request: IncomingMessage): Promise<string> {
  const content = await readContent(request, mostInput)
  if (content !== undefined) return content.toString('utf8')
  throw agentError({
    code: 'page_input_too_large',
    message: `An action has at most ${mostInput} bytes.`,
  })
}

const statuses: { readonly [code: string]: number } = {
  control_malformed: 400,
  page_key_missing: 401,
  page_key_wrong: 401,
  page_token_missing: 401,
  page_token_wrong: 401,
  page_other_origin: 403,
  page_read_only: 403,
  page_not_found: 404,
  page_method_not_allowed: 405,
  page_input_too_large: 413,
  page_not_json: 415,
  page_wrong_host: 421,
  page_too_many_streams: 503,
}

/** Closes the connection where something of the request is still to come. */
export function refuse(
  { request, response }: Exchange,
  error: unknown,
  onDefect: (error: unknown) => void,
): void {
  if (!isUraidenError(error) && !response.destroyed) onDefect(error)
  if (response.headersSent) return void response.destroy()
  response.writeHead(isUraidenError(error) ? (statuses[error.code] ?? 409) : 500, {
    'content-type': 'application/json; charset=utf-8',
    'cache-control': 'no-store',
    ...(isUraidenError(error, 'page_method_not_allowed') && { allow: 'GET, HEAD' }),
    ...(!request.complete && { connection: 'close' }),
  })
  response.end(encodeError(error))
}

/** For what is not HTTP. */
export function refuseSocket(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
  socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
}
