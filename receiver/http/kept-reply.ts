// The reply to a paid request that may be repeated: what of it is kept, and how long it is waited for.
import type { ServerResponse } from 'node:http'
import { boundHeaderName, type FieldLines, removeSignature } from '../../protocol/bound/index.ts'
import { isUraidenError } from '../../protocol/index.ts'
import type { AnswerEnd } from '../channels/answers.ts'
import type { Reply } from '../channels/store.ts'
import type { Paid } from '../paywall/paywall.ts'
import type { ReplyRoom } from '../paywall/replies.ts'

/** Of one connection, or of one answer to a bound request; the rest of its headers is what was paid for. */
const ofThisAnswer: ReadonlySet<string> = new Set([
  ...['connection', 'content-length', 'date', 'keep-alive', 'transfer-encoding'],
  boundHeaderName.body.toLowerCase(),
])

export function keptHeaders(headers: object): Reply['headers'] {
  const lines = Object.entries(headers).flatMap(([name, value]) =>
    [value ?? []].flat().map((each) => [name, String(each)] as const),
  )
  const kept: { [name: string]: string | readonly string[] } = {}
  // A body that came later is whole by now: its repetition is signed anew.
  for (const [name, value] of withoutOurs(lines)) {
    if (ofThisAnswer.has(name.toLowerCase())) continue
    const before = kept[name]
    kept[name] = before === undefined ? value : [before, value].flat()
  }
  return kept
}

function withoutOurs(lines: FieldLines): FieldLines {
  try {
    return removeSignature(lines)
  } catch (error) {
    // What a resource has written that is no dictionary has no member of ours.
    if (isUraidenError(error)) return lines
    throw error
  }
}

export interface BodyCollector {
  readonly add: (bytes: Uint8Array) => void
  /** Undefined when it is too long, or all replies together are. Gives the room back. */
  readonly all: () => Buffer | undefined
}

/** Puts a body together while it flows. */
export function collectBody(room: ReplyRoom): BodyCollector {
  let chunks: Buffer[] | undefined = []
  let size = 0
  const end = () => {
    room.give(size)
    size = 0
    chunks = undefined
  }
  return {
    add: (bytes) => {
      if (chunks === undefined) return
      if (size + bytes.length > room.largest || !room.take(bytes.length)) return end()
      size += bytes.length
      chunks.push(Buffer.from(bytes))
    },
    all: () => {
      const body = chunks && Buffer.concat(chunks)
      end()
      return body
    },
  }
}

/** Milliseconds after the client hung up; a repetition of the request waits as long, and then is a request of its own. */
const longestWait = 30_000

/** Harmless when the reply has been kept meanwhile. */
export function giveUpLater(paid: Paid, body?: BodyCollector): void {
  if (paid.keepReply !== undefined) setTimeout(() => giveUp(paid, body), longestWait).unref()
}

/**
 * Tells once whether all of an answer was handed to the system before its connection closed. Of a client that has
 * closed its side nobody knows whether it still reads.
 */
export function followAnswer(
  response: ServerResponse,
  answerEnded: NonNullable<Paid['answerEnded']>,
): void {
  const { socket } = response.req
  let isOver = false
  const end = (how: AnswerEnd) => {
    if (!isOver) answerEnded(how)
    isOver = true
  }
  // Of a connection that broke while bytes waited there is no end.
  response.once('finish', () => end(socket.readableEnded ? 'broken' : 'whole'))
  response.once('close', () => end('broken'))
  // It broke while the payment was written down, and nothing more is said of it.
  if (response.closed) end('broken')
}

/** There is no reply to keep. Where the disk does not learn of it, a repetition is answered anew. */
export function giveUp({ keepReply }: Paid, body?: BodyCollector): void {
  body?.all()
  keepReply?.().catch(() => undefined)
}
