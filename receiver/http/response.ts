// Holds a response of node:http back where the payment must be put right before its first byte: the
// resource failed, costs less, or its reply has to be kept.
import type { ServerResponse } from 'node:http'
import type { HeaderFields, TokenAmount } from '../../protocol/index.ts'
import type { Paid } from '../paywall/paywall.ts'
import { giveUp, giveUpLater } from './patience.ts'
import { keptHeaders } from './reply-headers.ts'

type Write = 'writeHead' | 'write' | 'end' | 'flushHeaders'

/** `http.ServerResponse` has overloads that no type of a function in its place could have. */
type Replaceable = { [Method in Write]: (...args: readonly unknown[]) => unknown }

export interface PaidResponse {
  /** Charges less than the price; only before the response has begun. */
  readonly cost: (amount: TokenAmount) => void
}

export function guardResponse(
  response: ServerResponse,
  paid: Paid,
  largestReply: number,
): PaidResponse {
  const target = response as unknown as Replaceable
  const original: Replaceable = {
    writeHead: target.writeHead.bind(response),
    write: target.write.bind(response),
    end: target.end.bind(response),
    flushHeaders: target.flushHeaders.bind(response),
  }
  const body = collector(largestReply)
  let cost: TokenAmount | undefined
  let state: 'untouched' | 'held' | 'flowing' = 'untouched'
  let held: (() => unknown)[] = []

  async function release(headers: Promise<HeaderFields>): Promise<void> {
    try {
      setMissing(response, await headers)
    } catch {
      // Without the credit on disk the answer would not be true.
      response.destroy()
      return
    }
    state = 'flowing'
    const calls = held
    held = []
    for (const call of calls) call()
    if (calls.length > 1) response.emit('drain')
  }

  function begin(status: number): void {
    const due = status >= 500 ? 0n : cost
    state = due === undefined ? 'flowing' : 'held'
    if (due === undefined) setMissing(response, paid.headers)
    else void release(paid.chargeOnly(due))
  }

  function finish(args: readonly unknown[]): void {
    const { keepReply } = paid
    if (keepReply === undefined) {
      original.end(...args)
      return
    }
    const failed = response.statusCode >= 500
    const whole = failed ? undefined : body.all()
    const headers = keptHeaders(response.getHeaders())
    keepReply(whole && { status: response.statusCode, headers, body: whole }).then(
      () => original.end(...args),
      () => response.destroy(),
    )
  }

  /** What is called while held runs later, in its order. */
  function pass(call: () => unknown): unknown {
    if (state !== 'held') return call()
    held.push(call)
    return false
  }

  target.writeHead = (...args) => {
    if (state === 'untouched') begin(Number(args[0]))
    pass(() => original.writeHead(...args))
    return response
  }
  target.flushHeaders = () => {
    if (state === 'untouched') begin(response.statusCode)
    pass(() => original.flushHeaders())
  }
  target.write = (...args) => {
    if (state === 'untouched') begin(response.statusCode)
    if (paid.keepReply) body.add(args)
    return pass(() => original.write(...args))
  }
  target.end = (...args) => {
    if (state === 'untouched') begin(response.statusCode)
    if (paid.keepReply) body.add(args)
    pass(() => finish(args))
    return response
  }
  response.once('close', () => {
    // A client that hangs up before has paid: what the handler still answers is kept for its repetition.
    if (state !== 'flowing') giveUpLater(paid)
    // Broken off in the middle: whoever waits for this reply asks for itself.
    else if (!response.writableEnded) giveUp(paid)
  })
  return {
    cost: (amount) => {
      cost = amount
    },
  }
}

/** The arguments of write and end put together; nothing once they are over `most` bytes. */
function collector(most: number) {
  let chunks: Buffer[] | undefined = []
  let size = 0
  return {
    add: ([chunk, encoding]: readonly unknown[]) => {
      if (typeof chunk !== 'string' && !(chunk instanceof Uint8Array)) return
      const bytes =
        typeof chunk === 'string'
          ? Buffer.from(chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8')
          : Buffer.from(chunk)
      size += bytes.length
      if (size > most) chunks = undefined
      chunks?.push(bytes)
    },
    all: () => chunks && Buffer.concat(chunks),
  }
}

/** Headers that the resource sets itself win over ours. */
function setMissing(response: ServerResponse, headers: HeaderFields): void {
  for (const [name, value] of Object.entries(headers)) {
    if (!response.hasHeader(name)) response.setHeader(name, value)
  }
}
