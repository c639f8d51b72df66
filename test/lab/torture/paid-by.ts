// How a request has paid: by what its receiver took for it.
import type { IncomingHttpHeaders } from 'node:http'

/** `nothing`: its balance was proven before, as with credit. */
export type PaidBy = 'tick' | 'signature' | 'nothing'

export interface ProofCounts {
  /** Of what was served, how much each has paid for. */
  readonly byTick: number
  readonly bySignature: number
  readonly byNothing: number
}

/** A tick beside a signature is not looked at. */
export function paidBy(headers: IncomingHttpHeaders): PaidBy {
  if (headers['rdn-balance-signature'] !== undefined) return 'signature'
  return headers['rdn-tick'] === undefined ? 'nothing' : 'tick'
}

export function countProofs(ways: Iterable<PaidBy>): ProofCounts {
  const all = [...ways]
  const count = (wanted: PaidBy) => all.filter((way) => way === wanted).length
  return { byTick: count('tick'), bySignature: count('signature'), byNothing: count('nothing') }
}

/** What never paid with a tick has shown nothing of ticks. */
export function judgeProofs({ byTick }: ProofCounts): readonly string[] {
  return byTick > 0 ? [] : ['nothing was paid by tick']
}

export function describeProofs({ byTick, bySignature, byNothing }: ProofCounts): string {
  return `paid by tick ${byTick}, by signature ${bySignature}, by nothing ${byNothing}`
}
