// An HTTP request with whatever headers a test wants, Host among them, which fetch does not allow.
import { type IncomingHttpHeaders, request } from 'node:http'
import { text } from 'node:stream/consumers'

export interface RawAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface RawRequest {
  readonly method?: string
  readonly path?: string
  readonly headers?: { readonly [name: string]: string }
  readonly body?: string
  /** Where it is sent to; the header Host is another matter. */
  readonly address?: string
}

export function rawRequest(port: number, options: RawRequest = {}): Promise<RawAnswer> {
  const { method = 'GET', path = '/', headers = {}, body, address = '127.0.0.1' } = options
  return new Promise((resolve, reject) => {
    const asked = request({ host: address, port, method, path, headers, agent: false })
    asked.once('error', reject)
    asked.once('response', (answer) => {
      const { statusCode: status = 0, headers } = answer
      text(answer).then((body) => resolve({ status, headers, body }), reject)
    })
    asked.end(body)
  })
}
