// The content of bound requests. What is short is there and checked before anybody sees the request. What is
// longer goes through as it comes, without its last piece until all of it is what the digest says: whoever
// reads it sees an error in place of an end, and nothing is answered or charged before.
import { createHash } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { equalBytes } from '../../protocol/bound/index.ts'
import type { Paid } from '../paywall/paywall.ts'

/** Content up to here is collected, in bytes. */
const mostCollected = 1 << 20

export interface ReadContent {
  readonly chunks: readonly Buffer[]
  /** More is to come. */
  readonly isLonger: boolean
}

/** The content when it is short, which stays to be read by whoever comes next; else its beginning, taken off. */
export function readContent(request: IncomingMessage): Promise<ReadContent> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    const end = (settle: () => void) => {
      request.off('readable', read).off('end', read).off('close', broken).off('error', broken)
      settle()
    }
    const broken = () => end(() => reject(new Error('the request broke off')))
    const read = () => {
      for (let chunk = request.read(); chunk !== null; chunk = request.read()) {
        size += chunk.length
        chunks.push(chunk)
      }
      const isLonger = !request.complete
      // At once: a stream that was found empty ends with the next tick.
      if (!isLonger) putBack(request, chunks)
      if (!isLonger || size > mostCollected) end(() => resolve({ chunks, isLonger }))
    }
    // Without any content there is nothing to be read, and only the end tells of it.
    request.on('readable', read).on('end', read).on('close', broken).on('error', broken)
    if (request.readableEnded) read()
  })
}

function putBack(request: IncomingMessage, chunks: readonly Buffer[]): void {
  const content = Buffer.concat(chunks)
  if (content.length > 0) request.unshift(content)
}

export interface LongContent {
  /** Whether all of it came and was right. Never rejects. */
  readonly isRight: Promise<boolean>
  /** Answers nothing before that, and breaks the connection off when it is not. */
  readonly holdAnswer: () => void
}

export function streamContent(
  { request, response }: { readonly request: IncomingMessage; readonly response: ServerResponse },
  begun: readonly Buffer[],
  digest: Uint8Array | undefined,
): LongContent {
  const hash = createHash('sha256')
  for (const chunk of begun) hash.update(chunk)
  putBack(request, begun.slice(0, -1))
  let last = begun.at(-1) ?? null
  let settle: (isRight: boolean) => void = () => undefined
  const isRight = new Promise<boolean>((resolve) => (settle = resolve))
  const push = request.push.bind(request)
  request.push = (chunk: Buffer | null) => {
    if (chunk !== null) {
      hash.update(chunk)
      const before = last
      last = chunk
      return before === null || push(before)
    }
    if (digest === undefined || !equalBytes(hash.digest(), digest)) {
      settle(false)
      request.destroy(new Error('The content is not what its digest says.'))
      return false
    }
    settle(true)
    push(last)
    return push(null)
  }
  request.once('close', () => settle(false))
  return { isRight, holdAnswer: answerHolder(request, response, isRight) }
}

/** `paid` for a request whose content is still on its way: what is not right costs nothing, and has no reply. */
export function paidWhenRight(
  request: IncomingMessage,
  { isRight, holdAnswer }: LongContent,
  paid: Paid,
): Paid {
  holdAnswer()
  void isRight.then((is) => (is ? undefined : paid.chargeOnly(0n))).catch(() => undefined)
  const { keepReply } = paid
  if (keepReply === undefined) return paid
  return {
    ...paid,
    keepReply: async (reply) => {
      // Whoever has answered reads no more of it.
      if (reply !== undefined) request.resume()
      await keepReply(reply !== undefined && (await isRight) ? reply : undefined)
    },
  }
}

const methods = ['writeHead', 'write', 'end', 'flushHeaders'] as const

/** `http.ServerResponse` has overloads that no type of a function in its place could have. */
type Replaceable = { [Name in (typeof methods)[number]]: (...args: readonly unknown[]) => unknown }

/** Installed below everything else that changes the response. */
function answerHolder(
  request: IncomingMessage,
  response: ServerResponse,
  isRight: Promise<boolean>,
): () => void {
  const target = response as unknown as Replaceable
  let held: (() => unknown)[] | undefined
  for (const name of methods) {
    const original = target[name].bind(response)
    target[name] = (...args) => {
      if (held === undefined) return original(...args)
      held.push(() => original(...args))
      if (name === 'end') request.resume()
      return name === 'write' ? false : response
    }
  }
  return () => {
    held = []
    void isRight.then((is) => {
      const calls = held ?? []
      held = undefined
      if (!is) {
        response.destroy()
        return
      }
      for (const call of calls) call()
      if (calls.length > 0) response.emit('drain')
    })
  }
}
