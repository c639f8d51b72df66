// A JSON-RPC node that misbehaves as a test wants it, in front of a real one.
import { once } from 'node:events'
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ExecutionContext } from 'ava'

/**
 * loseAnswer   the node gets the request, nobody hears the answer
 * loseRequest  the node never gets it
 * hang         never answered, never closed
 * refuse       a JSON-RPC error with this message
 * answer       this result, without asking the node
 * change       the node's result, changed
 * status       an HTTP status without JSON in its body, as a proxy or a rate limit gives it
 * error        a JSON-RPC error as a provider words it, with HTTP status 200 or another one
 * respond      these bytes
 */
export type Fault =
  | 'loseAnswer'
  | 'loseRequest'
  | 'hang'
  | { readonly refuse: string }
  | { readonly answer: unknown }
  | { readonly change: (result: unknown) => unknown }
  | { readonly status: number }
  | {
      readonly error: { readonly code: number; readonly message: string; readonly data?: unknown }
      readonly with?: number
      readonly retryAfter?: number
    }
  | {
      readonly respond: {
        readonly status: number
        readonly headers?: Readonly<Record<string, string>>
        readonly body: string
      }
    }

export interface RpcCall {
  readonly method: string
  readonly params: readonly unknown[]
}

/** Faults are decided request by request; undefined lets one through, a promise holds it up. */
export async function startFaultyRpc(
  t: ExecutionContext,
  node: string,
  decide: (call: RpcCall) => Fault | undefined | Promise<Fault | undefined>,
) {
  const calls: RpcCall[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const text = Buffer.concat(chunks).toString()
    const call = JSON.parse(text) as RpcCall & { readonly id: number }
    calls.push(call)
    const fault = await decide(call)
    if (fault === 'hang') return
    if (fault === 'loseRequest') return void response.destroy()
    if (typeof fault === 'object' && 'refuse' in fault) {
      return reply(response, { id: call.id, error: { code: -32000, message: fault.refuse } })
    }
    if (typeof fault === 'object' && 'answer' in fault) {
      return reply(response, { id: call.id, result: fault.answer })
    }
    if (typeof fault === 'object' && 'respond' in fault) {
      const { status, headers, body } = fault.respond
      return void response.writeHead(status, headers).end(body)
    }
    if (typeof fault === 'object' && 'error' in fault) {
      response.statusCode = fault.with ?? 200
      if (fault.retryAfter !== undefined) response.setHeader('retry-after', fault.retryAfter)
      return reply(response, { id: call.id, error: fault.error })
    }
    if (typeof fault === 'object' && 'status' in fault) {
      response.statusCode = fault.status
      return void response.end('<html>not JSON</html>')
    }
    const body = await ask(node, text).catch(() => undefined)
    // The node itself is away.
    if (body === undefined || fault === 'loseAnswer') return void response.destroy()
    reply(response, fault ? { ...body, result: fault.change(body.result) } : body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const stop = async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  t.teardown(stop)
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, calls, stop }
}

/** Over a connection of its own: one that was kept may be closed by the node just now. */
async function ask(node: string, text: string): Promise<{ readonly result?: unknown }> {
  const headers = { 'content-type': 'application/json' }
  const chunks: Buffer[] = []
  const request = httpRequest(node, { method: 'POST', headers, agent: false })
  request.end(text)
  const [answer] = (await once(request, 'response')) as [IncomingMessage]
  for await (const chunk of answer) chunks.push(chunk)
  return JSON.parse(Buffer.concat(chunks).toString())
}

function reply(response: ServerResponse, body: object): void {
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify({ jsonrpc: '2.0', ...body }))
}
