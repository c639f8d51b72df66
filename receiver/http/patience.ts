// How long a reply is waited for that nobody listens to any more.
import type { Paid } from '../paywall/paywall.ts'

/** Milliseconds; a repetition of the request waits as long, and then is a request of its own. */
const patience = 30_000

/** Harmless when the reply has been kept meanwhile. */
export function giveUpLater(paid: Paid): void {
  if (paid.keepReply !== undefined) setTimeout(() => giveUp(paid), patience).unref()
}

/** There is no reply to keep. Where the disk does not learn of it, a repetition is answered anew. */
export function giveUp({ keepReply }: Paid): void {
  keepReply?.().catch(() => undefined)
}
