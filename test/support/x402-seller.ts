// A seller that speaks x402, honest or not: what it does with a payment is the test's script. Whether it settles on a
// chain is the script's matter as well.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ExecutionContext } from 'ava'
import {
  type ExactPayload,
  formatPaymentRequired,
  formatPaymentResponse,
  parseExactPayload,
  parsePaymentSignature,
  type Requirements,
  type Settlement,
} from '../../protocol/x402/index.ts'

export interface Offered {
  readonly payload: ExactPayload
  readonly accepted: Requirements
  readonly request: IncomingMessage
}

/** What a script does with a request: `lose` hangs up. */
export type SellerAnswer =
  | 'lose'
  | {
      readonly status: number
      readonly settlement?: Partial<Settlement>
      readonly accepts?: readonly Requirements[]
      readonly headers?: { readonly [name: string]: string }
      readonly body?: string
    }

export interface SellerScript {
  /** To what is not paid. */
  readonly asks: (request: IncomingMessage) => SellerAnswer
  readonly takes: (offered: Offered) => SellerAnswer | Promise<SellerAnswer>
}

export interface X402Seller {
  readonly url: URL
  /** Every payment that came, oldest first. */
  readonly offered: readonly Offered[]
  /** Requests in all. */
  readonly requests: () => number
  script: SellerScript
}

export async function startX402Seller(
  t: ExecutionContext,
  script: SellerScript,
): Promise<X402Seller> {
  const seller = await openX402Seller(script)
  t.teardown(seller.close)
  return seller
}

export async function openX402Seller(
  script: SellerScript,
): Promise<X402Seller & { readonly close: () => void }> {
  const offered: Offered[] = []
  let requests = 0
  const seller = { script }
  const server = createServer((request, response) => {
    requests++
    const field = request.headers['payment-signature']
    if (typeof field !== 'string') return write(response, seller.script.asks(request), request)
    const { accepted, payload } = parsePaymentSignature(field)
    const offer = { accepted, payload: parseExactPayload(payload, 'payload'), request }
    offered.push(offer)
    Promise.resolve(seller.script.takes(offer)).then(
      (answer) => write(response, answer, request),
      (error) => write(response, { status: 500, body: String(error) }, request),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return Object.assign(seller, {
    url: new URL(`http://127.0.0.1:${port}/reading`),
    offered,
    requests: () => requests,
    close: () => {
      server.close()
      server.closeAllConnections()
    },
  })
}

function write(response: ServerResponse, answer: SellerAnswer, { url = '/' }: IncomingMessage) {
  if (answer === 'lose') return void response.destroy()
  const { status, settlement, accepts, headers = {}, body = '{"celsius":21.4}' } = answer
  response.writeHead(status, {
    ...headers,
    ...(accepts && { 'PAYMENT-REQUIRED': formatPaymentRequired({ resource: { url }, accepts }) }),
    ...(settlement && { 'PAYMENT-RESPONSE': formatPaymentResponse(settled(settlement)) }),
  })
  response.end(body)
}

function settled(said: Partial<Settlement>): Settlement {
  return { success: true, transaction: `0x${'ab'.repeat(32)}`, network: 'eip155:31337', ...said }
}
