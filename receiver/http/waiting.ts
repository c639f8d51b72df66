// Clients that wait before they send their content (RFC 9110 section 10.1.1), and those that close their side
// of the connection when they have asked.
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

const waiting = new WeakSet<IncomingMessage>()

/**
 * Asks for content that a client holds back (`Expect: 100-continue`) only when somebody reads it: not before
 * the paywall has decided. To be called before the server listens.
 * @example
 * const server = createServer(httpPaywall(receiver, { price }, handler))
 * continueWhenRead(server)
 * server.listen(5000)
 */
export function continueWhenRead(server: Server): void {
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    holdBack(request, response)
    server.emit('request', request, response)
  })
}

function holdBack(request: IncomingMessage, response: ServerResponse): void {
  waiting.add(request)
  const read = request._read.bind(request)
  request._read = (size) => {
    if (waiting.delete(request) && response.socket?.writable && !response.headersSent) {
      response.writeContinue()
    }
    read(size)
  }
  const writeHead = response.writeHead.bind(response) as (...args: unknown[]) => ServerResponse
  response.writeHead = (...args: unknown[]) => {
    // What comes next on this connection, content or another request, nobody can tell.
    if (waiting.has(request) && !request.complete) response.shouldKeepAlive = false
    return writeHead(...args)
  }
}

/** Whether its content waits to be asked for. */
export function isWaiting(request: IncomingMessage): boolean {
  return waiting.has(request)
}

/**
 * Whoever has closed its side still reads the other one (`nc -N`, small HTTP stacks); node ends both
 * unless told otherwise, after the request has paid.
 */
export function answerHalfClosed(socket: Socket): void {
  socket.allowHalfOpen = true
  const { server } = socket as { readonly server?: { httpAllowHalfOpen?: boolean } }
  if (server !== undefined) server.httpAllowHalfOpen = true
}
