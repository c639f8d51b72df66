// A receiver that takes every bound payment unseen, and checks and signs no more than makes its answers believed:
// the benchmark measures the other side.
import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { hmac } from '../../platform/keys/bound.ts'
import { createKeySigner } from '../../platform/keys/index.ts'
import {
  type BoundKeys,
  createRequestKey,
  deriveBoundKeys,
  type FieldLines,
  fieldLines,
  formatContentDigest,
  parseBoundRequest,
  parseRequestKey,
  receiverKeyDigest,
  serializeReceiverKey,
  sharedSecret,
  signAnswer,
} from '../../protocol/bound/index.ts'
import { formatTerms, fromHex, headerName } from '../../protocol/index.ts'
import { benchChain, benchChannel, benchTerms, receiverKey } from './agent-terms.ts'

type Lines = [string, string][]

const { price } = benchTerms
const terms = Object.entries(formatTerms(benchTerms)) as Lines
const body = Buffer.from('{"celsius":21.4}')
const pair = createRequestKey()
const domain = { chainId: benchChain, contract: benchTerms.contract }
let keys: BoundKeys | undefined
let highest = 0n

async function ownKey(): Promise<Buffer> {
  const key = { key: pair.publicKey, number: 1n, until: 1_000_000n }
  const signature = await createKeySigner(fromHex(receiverKey)).sign(receiverKeyDigest(domain, key))
  return Buffer.from(serializeReceiverKey({ ...key, signature }))
}

function bind(content: Buffer): void {
  const { key: senderKey } = parseRequestKey(content.toString())
  const binding = { ...domain, channel: benchChannel, senderKey, receiverKey: pair.publicKey }
  keys = deriveBoundKeys(sharedSecret(pair.privateKey, senderKey), binding)
  highest = 0n
}

/** Undefined of a request that is not bound. */
function signed(request: IncomingMessage, isPut: boolean): Lines | undefined {
  const { pathname, search } = new URL(`http://x${request.url}`)
  const claimed = parseBoundRequest({
    ...{ method: request.method ?? '', path: pathname, query: search },
    fields: fieldLines(request.rawHeaders) as FieldLines,
  })
  if (claimed === undefined || !claimed.ok || keys === undefined) return undefined
  const balance = BigInt(request.headers['rdn-balance']?.toString() ?? 0)
  if (balance > highest) highest = balance
  // As a receiver says it: what is offered, to a signature alone.
  const says = isPut || request.headers['rdn-balance-signature'] !== undefined
  const fields: Lines = [
    ['Content-Type', 'application/json'],
    [headerName.price, `${price}`],
    [headerName.senderBalance, `${highest}`],
    [headerName.cost, `${price}`],
    ['Content-Digest', formatContentDigest(createHash('sha256').update(body).digest())],
    ...(says ? ([[headerName.features, 'ticks']] as Lines) : []),
  ]
  const requestMac = claimed.value.mac
  const signature = signAnswer({ status: 200, fields }, keys, { requestMac, hmac })
  return [...fields, ...Object.entries(signature.fields)]
}

const server = createServer(async (request, response) => {
  if (request.url === '/api/1/request-key') {
    response.end(await ownKey())
    return
  }
  const isPut = request.method === 'PUT'
  if (isPut) bind(await buffer(request))
  const lines = signed(request, isPut)
  const status = lines !== undefined || request.url === '/free' ? 200 : 402
  const fields = lines ?? [['content-type', 'application/json'], ...(status === 402 ? terms : [])]
  response.writeHead(status, [...fields, ['content-length', `${body.length}`]].flat())
  response.end(body)
})
server.listen(0, '127.0.0.1', () => {
  process.send?.(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
})
