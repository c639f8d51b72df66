// Holds an answer to a bound request back until it can be signed: whole, or up to what is collected.
import { createHash, type Hash } from 'node:crypto'
import type { ServerResponse } from 'node:http'
import { hmac } from '../../platform/keys/bound.ts'
import {
  bodyLater,
  boundHeaderName,
  type FieldLines,
  formatContentDigest,
  signAnswer,
} from '../../protocol/bound/index.ts'
import { headerName, isUraidenError, parseUint192 } from '../../protocol/index.ts'
import { targetOf } from '../paywall/dialect.ts'
import type { Door, Exchange } from '../paywall/door.ts'
import { takeHead } from './head.ts'

type Method = 'writeHead' | 'write' | 'end' | 'flushHeaders'

/** `http.ServerResponse` has overloads that no type of a function in its place could have. */
type Replaceable = { [Name in Method]: (...args: readonly unknown[]) => unknown }

/** What of a door an answer needs. */
type AnsweringDoor = Pick<Door, 'collect' | 'receipts' | 'tickets' | 'publicPath'>

interface Signing {
  readonly response: ServerResponse
  readonly exchange: Exchange
  readonly door: AnsweringDoor
  /** Nothing of the body goes out: HEAD, or a status without content. */
  readonly isHead: boolean
  /** The response's own methods. */
  readonly original: Replaceable
  readonly chunks: Uint8Array[]
  size: number
  /** untouched, begun (by the handler, nothing is sent), sent (the head at least). */
  state: 'untouched' | 'begun' | 'sent'
  /** Of a body that comes later. */
  hash: Hash | undefined
  isWritingHead: boolean
}

const signings = new WeakMap<ServerResponse, Signing>()

/**
 * What a handler has begun cannot be answered otherwise, sent or not. One for all responses: with a getter of its
 * own each would be an object of a kind of its own, and slow.
 */
const headersSent: PropertyDescriptor & ThisType<ServerResponse> = {
  get() {
    const signing = signings.get(this)
    return signing?.state !== 'untouched' && signing?.isWritingHead !== true
  },
}

/** From now on this response is one to a bound request. */
export function signResponse(
  response: ServerResponse,
  exchange: Exchange,
  door: AnsweringDoor,
): void {
  const target = response as unknown as Replaceable
  const signing: Signing = {
    ...{ response, exchange, door, isHead: response.req.method === 'HEAD' },
    original: {
      writeHead: target.writeHead.bind(response),
      write: target.write.bind(response),
      end: target.end.bind(response),
      flushHeaders: target.flushHeaders.bind(response),
    },
    chunks: [],
    size: 0,
    state: 'untouched',
    hash: undefined,
    isWritingHead: false,
  }
  replaceMethods(target, signing)
  signings.set(response, signing)
  Object.defineProperty(response, 'headersSent', headersSent)
  response.once('close', () => {
    if (!response.writableEnded) keepReceipt(signing, false)
  })
}

function replaceMethods(target: Replaceable, signing: Signing): void {
  const { response, original, chunks } = signing
  target.writeHead = (...args) => {
    if (signing.state === 'sent') return original.writeHead(...args)
    takeHead(response, args)
    signing.state = 'begun'
    return response
  }
  target.flushHeaders = () => void sendHead(signing)
  target.write = (...args) => {
    const { content, done } = readArguments(args)
    if (signing.state === 'sent') return pass(signing, content, done)
    signing.state = 'begun'
    chunks.push(content)
    signing.size += content.length
    if (signing.size > signing.door.collect) return sendHead(signing, done)
    if (done !== undefined) process.nextTick(done)
    return true
  }
  target.end = (...args) => {
    const { content, done } = readArguments(args)
    if (signing.state === 'sent') finish(signing, content, done)
    else sendWhole(signing, Buffer.concat([...chunks, content]), done)
    return response
  }
}

/** All of the answer is there. */
function sendWhole(signing: Signing, body: Buffer, done: Callback): void {
  const { response, original, isHead } = signing
  const hasContent = !isHead && mayHaveContent(response.statusCode) && body.length > 0
  if (hasContent) {
    const digest = createHash('sha256').update(body).digest()
    response.setHeader(boundHeaderName.contentDigest, formatContentDigest(digest))
  }
  if (!isHead && mayHaveContent(response.statusCode)) {
    response.removeHeader('transfer-encoding')
    response.setHeader('content-length', body.length)
  }
  if (!sign(signing)) return
  writeHead(signing)
  original.end(hasContent ? body : undefined, undefined, done)
}

/** The head, and what was collected of the body: the rest comes later. */
function sendHead(signing: Signing, done?: Callback): unknown {
  const { response, original, chunks, isHead } = signing
  if (signing.state === 'sent') return true
  if (!isHead && mayHaveContent(response.statusCode)) {
    response.setHeader(boundHeaderName.body, bodyLater)
    signing.hash = createHash('sha256')
  }
  signing.size = 0
  if (!sign(signing)) return false
  writeHead(signing)
  original.flushHeaders()
  const collected = Buffer.concat(chunks.splice(0))
  if (collected.length > 0) return pass(signing, collected, done)
  return true
}

/** Bun's asks `headersSent` whether it may. */
function writeHead(signing: Signing): void {
  signing.isWritingHead = true
  signing.original.writeHead(signing.response.statusCode)
  signing.isWritingHead = false
}

function pass(signing: Signing, content: Uint8Array, done: Callback): unknown {
  signing.hash?.update(content)
  signing.size += content.length
  return signing.original.write(content, undefined, done)
}

/** The receipt is there before the last byte is: whoever has all of it may ask. */
function finish(signing: Signing, content: Uint8Array, done: Callback): void {
  signing.hash?.update(content)
  signing.size += content.length
  keepReceipt(signing, true)
  signing.original.end(content, undefined, done)
}

function keepReceipt(signing: Signing, complete: boolean): void {
  const { response, exchange, door, size: length, hash } = signing
  if (hash === undefined) return
  signing.hash = undefined
  const cost = parseUint192(String(response.getHeader(headerName.cost) ?? 0))
  const { statusCode: status } = response
  door.receipts.put(exchange, { status, length, digest: hash.digest(), complete, cost })
}

/** False when there is no answer that the sender would believe: then it gets none. */
function sign(signing: Signing): boolean {
  const { response, exchange } = signing
  signing.state = 'sent'
  if (!response.hasHeader('cache-control')) response.setHeader('cache-control', 'private')
  const ticket = response.statusCode === 200 ? issueTicket(signing) : undefined
  if (ticket !== undefined) response.appendHeader('set-cookie', ticket)
  try {
    const { fields } = signAnswer(
      { status: response.statusCode, fields: lines(response) },
      exchange.keys,
      {
        requestMac: exchange.request.mac,
        hmac,
      },
    )
    for (const [name, value] of Object.entries(fields)) response.setHeader(name, value)
    return true
  } catch (error) {
    if (!isUraidenError(error)) throw error
    response.destroy(error)
    // It is over for whoever goes on while it is not: fastify would call the resource.
    signing.original.end()
    return false
  }
}

/** For a page that cannot show this answer itself. */
function issueTicket({ response, exchange, door }: Signing): string | undefined {
  const { req } = response
  const [path = ''] = targetOf(req).split('?', 1)
  return req.method === 'GET'
    ? door.tickets.issue(exchange.request, `${door.publicPath}${path}`)
    : undefined
}

function lines(response: ServerResponse): FieldLines {
  return Object.entries(response.getHeaders()).flatMap(([name, value]) =>
    [value ?? []].flat().map((each) => [name, `${each}`] as const),
  )
}

function mayHaveContent(status: number): boolean {
  return status !== 204 && status !== 304
}

type Callback = (() => void) | undefined

/** Of write and end: content, encoding and callback, each of which may be missing. */
function readArguments(args: readonly unknown[]): {
  readonly content: Uint8Array
  readonly done: Callback
} {
  const done = args.find((each) => typeof each === 'function') as Callback
  const [chunk, encoding] = args
  if (chunk instanceof Uint8Array) return { content: chunk, done }
  if (typeof chunk !== 'string') return { content: new Uint8Array(), done }
  return {
    content: Buffer.from(
      chunk,
      typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8',
    ),
    done,
  }
}
