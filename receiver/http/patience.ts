// How long a reply is waited for that nobody listens to any more.
import type { Paid } from '../paywall/paywall.ts'

/** Milliseconds; a repetition of the request waits as long, and then is a request of its own. */
const patience = 30_000

/** Harmless when the reply has been kept meanwhile. */
export function giveUpLater({ keepReply }: Paid): void {
  if (keepReply !== undefined) setTimeout(() => void keepReply(), patience).unref()
}
