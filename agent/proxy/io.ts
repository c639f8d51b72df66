// Reading and writing of node:http messages, with limits.

import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { type Exchange, readContent } from '../../platform/web/request.ts'
import { agentError } from '../errors/index.ts'
import type { Field } from './fields.ts'
import { problemOf } from './problem.ts'

/** @throws UraidenError `body_too_large` */
export async function readBody(request: IncomingMessage, most: number): Promise<Uint8Array> {
  const content = await readContent(request, most)
  if (content !== undefined) return content
  throw agentError({
    code: 'body_too_large',
    message: `The request has more than ${most} bytes of content.`,
  })
}

/** Refuses, and closes the connection: what a program still sends is not the next request. */
export function refuse({ request, response }: Exchange, error: unknown): void {
  if (response.headersSent) return void response.destroy()
  const { status, fields, body } = problemOf(error)
  const rest: readonly Field[] = request.complete ? [] : [['Connection', 'close']]
  const length: Field = ['Content-Length', `${Buffer.byteLength(body)}`]
  response.writeHead(status, flat([...fields, ...rest, length]))
  response.end(request.method === 'HEAD' ? undefined : body)
}

/** The same where there is no response object: after CONNECT, or for what is not HTTP. */
export function refuseSocket(socket: Duplex, error: unknown, statusText: string): void {
  if (!socket.writable) return void socket.destroy()
  const { status, fields, body } = problemOf(error)
  const head = [
    ...fields,
    ['Content-Length', `${Buffer.byteLength(body)}`],
    ['Connection', 'close'],
  ]
  const lines = head.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  socket.end(`HTTP/1.1 ${status} ${statusText}\r\n${lines}\r\n${body}`)
}

export function flat(fields: readonly Field[]): string[] {
  return fields.flat()
}
