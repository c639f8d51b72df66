// What the account has on the chain: asked for while somebody looks, and not too often.

import type { Milliseconds } from '../../../platform/time/clock.ts'
import type { TokenAmount } from '../../../protocol/index.ts'
import type { PageHoldings } from './state.ts'

export interface Account {
  readonly tokens: TokenAmount
  /** In wei. */
  readonly ether: bigint
}

export interface Holdings {
  /** What is known now; asks anew where that is older than `oldest`, by default `fresh`. */
  readonly look: (oldest?: Milliseconds) => PageHoldings
  /** Something has changed: what is known is old. */
  readonly forget: () => void
}

export interface HoldingsOptions {
  readonly read: () => Promise<Account>
  readonly fresh: Milliseconds
  /** A clock that never goes back. */
  readonly now: () => Milliseconds
}

export function createHoldings({ read, fresh, now }: HoldingsOptions): Holdings {
  let known: PageHoldings = { tokens: null, ether: null, problem: null }
  let asked = Number.NEGATIVE_INFINITY
  let underWay = false

  async function ask(): Promise<void> {
    underWay = true
    asked = now()
    try {
      const { tokens, ether } = await read()
      known = { tokens: `${tokens}`, ether: `${ether}`, problem: null }
    } catch (error) {
      known = { ...known, problem: error instanceof Error ? error.message : String(error) }
    } finally {
      underWay = false
    }
  }

  return {
    look: (oldest = fresh) => {
      if (!underWay && now() - asked >= oldest) void ask()
      return known
    },
    forget: () => {
      asked = Number.NEGATIVE_INFINITY
    },
  }
}
