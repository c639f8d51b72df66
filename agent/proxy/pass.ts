// Requests to anybody who is no receiver, where the configuration allows them: handed on untouched, or an
// encrypted tunnel (CONNECT).

import { request as httpRequest, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import type { Duplex } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Exchange } from '../../platform/web/request.ts'
import { agentError } from '../errors/index.ts'
import { endToEnd, type Field, fieldsOf, framing, without, withVia } from './fields.ts'
import { flat } from './io.ts'
import type { Authority } from './target.ts'

/**
 * `timeout`: longest silence, in milliseconds.
 * @throws UraidenError `receiver_unreachable`, `answer_late`, `answer_lost`, `transfer_coding_unknown`
 */
export async function passOn(
  url: URL,
  { request, response }: Exchange,
  timeout: number,
): Promise<void> {
  const { method = 'GET' } = request
  const fields = fieldsOf(request.rawHeaders)
  const host: Field = ['Host', url.host]
  const own = without(endToEnd(fields), (name) => name === 'host')
  const headers = flat([host, ...withVia(own, request.httpVersion), ...framing(method, fields)])
  const send = await senderTo(url)
  const upstream = send(url, { method, headers, timeout, agent: false })
  const answered = answerOf(upstream, url)
  // An upload that fails is told by the answer that does not come.
  pipeline(request, upstream).catch(() => undefined)
  response.once('close', () => upstream.destroy())
  const answer = await answered
  const received = withVia(endToEnd(fieldsOf(answer.rawHeaders)), answer.httpVersion)
  response.writeHead(answer.statusCode ?? 502, answer.statusMessage, flat(received))
  await pipeline(answer, response)
}

/** A daemon of which nobody wants an encrypted request does without the memory of what makes them. */
async function senderTo({ protocol }: URL): Promise<typeof httpRequest> {
  if (protocol !== 'https:') return httpRequest
  const { request } = await import('node:https')
  return request
}

function answerOf(
  upstream: ReturnType<typeof httpRequest>,
  { host }: URL,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    upstream.once('response', resolve)
    upstream.once('timeout', () => {
      const late = agentError({
        code: 'answer_late',
        message: `${host} does not answer in time.`,
      })
      reject(late)
      upstream.destroy(late)
    })
    upstream.on('error', (cause: NodeJS.ErrnoException) => {
      const unreached = cause.syscall === 'connect' || cause.syscall === 'getaddrinfo'
      reject(
        agentError({
          code: unreached ? 'receiver_unreachable' : 'answer_lost',
          message: `${host} ${unreached ? 'cannot be reached' : 'gives no answer'} (${cause.code}).`,
          hint: 'Check the address and the network.',
          cause,
        }),
      )
    })
  })
}

/** A tunnel without a byte for so long is given up, in milliseconds. */
const longestSilence = 10 * 60_000

/** Between a program and the proxy. */
export interface NearEnd {
  readonly socket: Duplex
  /** What came with the CONNECT: it belongs to the tunnel. */
  readonly head: Buffer
}

/**
 * Resolves when the tunnel is over. `timeout`: until it stands, in milliseconds.
 * @throws UraidenError `receiver_unreachable` before it stands
 */
export async function tunnel(
  { host, port }: Authority,
  { socket, head }: NearEnd,
  timeout: number,
): Promise<void> {
  const target = connect({ host, port })
  await new Promise<void>((resolve, reject) => {
    const fail = (code: string | undefined) => {
      target.destroy()
      reject(
        agentError({
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
  target.write(head)
  // One side that breaks off ends the other: that is all there is to tell.
  await Promise.allSettled([pipeline(socket, target), pipeline(target, socket)])
}
