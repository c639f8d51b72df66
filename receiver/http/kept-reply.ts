// The reply to a paid request that may be repeated: what of it is kept, and how long it is waited for.
import type { ServerResponse } from 'node:http'
import type { Reply } from '../channels/store.ts'
import type { Paid } from '../paywall/paywall.ts'

/** The rest of an answer's headers is what was paid for. */
const ofTheConnection: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'date',
  'keep-alive',
  'transfer-encoding',
])

export function keptHeaders(headers: object): Reply['headers'] {
  const kept: { [name: string]: string | readonly string[] } = {}
  for (const [name, value] of Object.entries(headers)) {
    if (value === undefined || ofTheConnection.has(name.toLowerCase())) continue
    kept[name] = Array.isArray(value) ? value.map(String) : String(value)
  }
  return kept
}

/** Milliseconds after the client hung up; a repetition of the request waits as long, and then is a request of its own. */
const longestWait = 30_000

/** Harmless when the reply has been kept meanwhile. */
export function giveUpLater(paid: Paid): void {
  if (paid.keepReply !== undefined) setTimeout(() => giveUp(paid), longestWait).unref()
}

/** Tells whether all of an answer was handed to the system before its connection closed. */
export function followAnswer(
  response: ServerResponse,
  answerEnded: NonNullable<Paid['answerEnded']>,
): void {
  // Of a connection that broke while bytes waited there is no end.
  response.once('finish', () => answerEnded('whole'))
  response.once('close', () => answerEnded('broken'))
}

/** There is no reply to keep. Where the disk does not learn of it, a repetition is answered anew. */
export function giveUp({ keepReply }: Paid): void {
  keepReply?.().catch(() => undefined)
}
