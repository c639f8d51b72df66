// Holds a response of node:http back where the payment must be put right before its first byte: the
// resource failed, costs less, or its reply has to be kept.
import type { ServerResponse } from 'node:http'
import type { HeaderFields, TokenAmount } from '../../protocol/index.ts'
import type { Paid } from '../paywall/paywall.ts'
import type { ReplyRoom } from '../paywall/replies.ts'
import { keepToBuyer, takeHead } from './head.ts'
import { type BodyCollector, collectBody, giveUp, giveUpLater, keptHeaders } from './kept-reply.ts'

type Write = 'writeHead' | 'write' | 'end' | 'flushHeaders'

/** `http.ServerResponse` has overloads that no type of a function in its place could have. */
type Replaceable = { [Method in Write]: (...args: readonly unknown[]) => unknown }

export interface PaidResponse {
  /** Charges less than the price; only before the response has begun. */
  readonly cost: (amount: TokenAmount) => void
}

interface Guarded {
  readonly response: ServerResponse
  readonly paid: Paid
  /** The response's own methods. */
  readonly original: Replaceable
  readonly body: BodyCollector
  cost: TokenAmount | undefined
  state: 'untouched' | 'held' | 'flowing'
  /** What was called while it was held. */
  held: (() => unknown)[]
}

export function guardResponse(response: ServerResponse, paid: Paid, room: ReplyRoom): PaidResponse {
  const target = response as unknown as Replaceable
  const guarded: Guarded = {
    ...{ response, paid },
    original: {
      writeHead: target.writeHead.bind(response),
      write: target.write.bind(response),
      end: target.end.bind(response),
      flushHeaders: target.flushHeaders.bind(response),
    },
    body: collectBody(room),
    cost: undefined,
    state: 'untouched',
    held: [],
  }
  replaceMethods(target, guarded)
  response.once('close', () => {
    // A client that hangs up before has paid: what the handler still answers is kept for its repetition.
    if (guarded.state !== 'flowing') giveUpLater(paid, guarded.body)
    // Broken off in the middle: whoever waits for this reply asks for itself.
    else if (!response.writableEnded) giveUp(paid, guarded.body)
  })
  return {
    cost: (amount) => {
      guarded.cost = amount
    },
  }
}

function replaceMethods(target: Replaceable, guarded: Guarded): void {
  const { response, original, body, paid } = guarded
  target.writeHead = (...args) => {
    takeHead(response, args)
    begin(guarded, response.statusCode)
    pass(guarded, () => original.writeHead(response.statusCode))
    return response
  }
  target.flushHeaders = () => {
    begin(guarded, response.statusCode)
    pass(guarded, () => original.flushHeaders())
  }
  target.write = (...args) => {
    begin(guarded, response.statusCode)
    if (paid.keepReply) body.add(bytesOf(args))
    return pass(guarded, () => original.write(...args))
  }
  target.end = (...args) => {
    begin(guarded, response.statusCode)
    if (paid.keepReply) body.add(bytesOf(args))
    pass(guarded, () => finish(guarded, args))
    return response
  }
}

/** Once: the status decides what it costs. */
function begin(guarded: Guarded, status: number): void {
  if (guarded.state !== 'untouched') return
  const { paid, response } = guarded
  const due = status >= 500 ? 0n : guarded.cost
  guarded.state = due === undefined ? 'flowing' : 'held'
  if (due === undefined) complete(response, paid.headers)
  else void release(guarded, paid.chargeOnly(due))
}

async function release(guarded: Guarded, headers: Promise<HeaderFields>): Promise<void> {
  const { response } = guarded
  try {
    complete(response, await headers)
  } catch {
    // Without the credit on disk the answer would not be true.
    response.destroy()
    return
  }
  guarded.state = 'flowing'
  const calls = guarded.held
  guarded.held = []
  for (const call of calls) call()
  if (calls.length > 1) response.emit('drain')
}

/** What is called while held runs later, in its order. */
function pass(guarded: Guarded, call: () => unknown): unknown {
  if (guarded.state !== 'held') return call()
  guarded.held.push(call)
  return false
}

function finish({ response, paid, original, body }: Guarded, args: readonly unknown[]): void {
  const { keepReply } = paid
  if (keepReply === undefined) {
    original.end(...args)
    return
  }
  const failed = response.statusCode >= 500
  const all = body.all()
  const whole = failed ? undefined : all
  const headers = keptHeaders(response.getHeaders())
  keepReply(whole && { status: response.statusCode, headers, body: whole }).then(
    () => original.end(...args),
    () => response.destroy(),
  )
}

/** Of write and end: the first argument, in bytes. */
function bytesOf([chunk, encoding]: readonly unknown[]): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk
  if (typeof chunk !== 'string') return new Uint8Array()
  return Buffer.from(chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8')
}

/** Headers that the resource sets itself win over ours. */
function complete(response: ServerResponse, headers: HeaderFields): void {
  for (const [name, value] of Object.entries(headers)) {
    if (!response.hasHeader(name)) response.setHeader(name, value)
  }
  keepToBuyer(response)
}
