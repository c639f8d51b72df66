// A request to anybody else, handed on untouched where the configuration says so.
import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { pipeline } from 'node:stream/promises'
import { UraidenError } from '../../protocol/index.ts'
import { endToEnd, type Field, fieldsOf, framing, without, withVia } from './fields.ts'
import { flat } from './io.ts'

/**
 * `timeout`: longest silence, in milliseconds.
 * @throws UraidenError `receiver_unreachable`, `answer_late`, `answer_lost`, `transfer_coding_unknown`
 */
export async function passOn(
  url: URL,
  timeout: number,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { method = 'GET' } = request
  const fields = fieldsOf(request.rawHeaders)
  const host: Field = ['Host', url.host]
  const own = without(endToEnd(fields), (name) => name === 'host')
  const headers = flat([host, ...withVia(own, request.httpVersion), ...framing(method, fields)])
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest
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

function answerOf(
  upstream: ReturnType<typeof httpRequest>,
  { host }: URL,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    upstream.once('response', resolve)
    upstream.once('timeout', () => {
      const late = new UraidenError({
        code: 'answer_late',
        message: `${host} does not answer in time.`,
        hint: 'Try again later.',
      })
      reject(late)
      upstream.destroy(late)
    })
    upstream.on('error', (cause: NodeJS.ErrnoException) => {
      const unreached = cause.syscall === 'connect' || cause.syscall === 'getaddrinfo'
      reject(
        new UraidenError({
          code: unreached ? 'receiver_unreachable' : 'answer_lost',
          message: `${host} ${unreached ? 'cannot be reached' : 'gives no answer'} (${cause.code}).`,
          hint: 'Check the address and the network.',
          cause,
        }),
      )
    })
  })
}
