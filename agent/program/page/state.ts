// What the page is told: plain data for JSON. Amounts are decimals of the token's smallest unit, times
// milliseconds since 1970. Types alone: the page's script is compiled against them.

export interface PageState {
  /** Changes when the page's script does: an old page loads itself again. */
  readonly build: string
  /** Whether there is a token that allows actions. */
  readonly actions: 'withToken' | 'never'
  readonly started: number
  readonly health: PageHealth
  /** How the memory card is written, and when what waited was written last. */
  readonly card: { readonly mode: 'careful' | 'gentle'; readonly flushed: number | null }
  readonly paused: boolean
  /** Why nothing can be paid now. */
  readonly waiting: PageProblem | null
  /** Why the last reload of the configuration was refused. */
  readonly refused: string | null
  readonly address: string
  /** Null until the chain has said it once. */
  readonly token: { readonly symbol: string; readonly decimals: number } | null
  readonly holdings: PageHoldings
  /** How many transactions are made and what they cost, in words. */
  readonly transactions: string
  readonly counters: {
    readonly payments: number
    readonly refusals: number
    readonly failures: number
  }
  readonly budgets: readonly PageBudget[]
  readonly jobs: readonly PageJob[]
  /** Those that are not closed. */
  readonly channels: readonly PageChannel[]
  /** The newest first. */
  readonly purchases: readonly PagePurchase[]
  /** Those with whom there was trouble lately, worst first. */
  readonly behaviour: readonly PageBehaviour[]
  /** The newest first. */
  readonly troubles: readonly PageTrouble[]
}

/** All is well, somebody should look, or something does not work; and why. */
export interface PageHealth {
  readonly level: 'ok' | 'attention' | 'failing'
  readonly reasons: readonly string[]
}

/** What was spent over time. Asked for apart: it is much, and changes seldom. */
export interface PageSpending {
  /** Who spent most first. */
  readonly buyers: readonly string[]
  /** The last 48, oldest first. */
  readonly hours: readonly PageSum[]
  /** The last 400 at most, in the time zone of budgets. */
  readonly days: readonly PageSum[]
}

export interface PageSum {
  /** Unix time in seconds. */
  readonly start: number
  /** `2026-11-28`, or in UTC `2026-11-28 13:00` */
  readonly label: string
  /** Of each buyer. */
  readonly spent: readonly string[]
  readonly purchases: number
  readonly failures: number
}

export interface PageProblem {
  readonly code: string
  readonly message: string
}

/** What the account has on the chain, outside of channels. */
export interface PageHoldings {
  readonly tokens: string | null
  /** In wei. */
  readonly ether: string | null
  /** Why it is not known, or not anew. */
  readonly problem: string | null
}

/** Of an asset that is paid with beside the channels' token. */
export interface PageUnit {
  readonly symbol: string
  readonly decimals: number
}

/** One cap. */
export interface PageBudget {
  readonly owner: 'all' | 'receiver' | 'job' | 'program'
  /** Of the owner; empty for `all`. */
  readonly name: string
  readonly window: 'hour' | 'day' | 'month' | 'total'
  readonly cap: string
  /**
   * Spent, or hidden by a crash. What is only reserved on a channel, for the next payments, is left: it
   * can still be paid.
   */
  readonly spent: string
  /** What the amounts are in, where it is not the channels' token. */
  readonly unit?: PageUnit
  /** Nothing, or less than what is asked for, is left; when there is some again. */
  readonly over: { readonly free: number | null } | null
  /** Until when it lasts if spending goes on so; `window`: through it; null: not known. */
  readonly lasts: number | 'window' | null
}

export interface PageJob {
  readonly name: string
  readonly target: string
  /** `every 5 min`, or a cron expression. */
  readonly schedule: string
  readonly state: 'waiting' | 'running' | 'paused' | 'slowed' | 'budgetSpent'
  /** Why it waits for a budget. */
  readonly budget: string | null
  /** What it has bought last; numbers oldest first. */
  readonly value: { readonly last: string; readonly unit: string } | null
  readonly numbers: readonly number[]
  /** Since midnight in the time zone of budgets. */
  readonly today: string
  readonly next: number | null
  readonly last: {
    readonly ended: number
    readonly cost: string | null
    readonly unit?: PageUnit
    /** Null after a run that failed, or of an earlier version. */
    readonly authentic: boolean | null
    /** Null after a run that went well. */
    readonly problem: PageProblem | null
  } | null
  /** In a row. */
  readonly failures: number
  /** Those with bodies that wait, or with a problem. */
  readonly sinks: readonly {
    readonly id: string
    readonly waiting: number
    readonly problem: string | null
  }[]
}

export interface PageChannel {
  readonly name: string
  readonly receiver: string
  /** In the configuration; null when it has none. */
  readonly receiverName: string | null
  readonly openBlock: number
  readonly deposit: string
  readonly spent: string
  /** False: `spent` is the most that it can be; a crash hides the true one. */
  readonly certain: boolean
  readonly state: 'open' | 'closing'
  /** The receiver was asked to agree to a close, and nothing came of it yet: no payment is made. */
  readonly closeAsked: boolean
  /** While closing: `after block 1234, about 3 hours from now`. */
  readonly settles: string | null
}

export interface PagePurchase {
  readonly time: number
  readonly method: string
  /** With the name of its receiver, where it has one. */
  readonly url: string
  readonly status: number
  readonly cost: string
  readonly unit?: PageUnit
  /** Proven to be the receiver's own answer; null of what an earlier version bought. */
  readonly authentic: boolean | null
  readonly receiver: string
  readonly receiverName: string | null
  /** Who bought it: `job temperature`, `program weather`; null for a command. */
  readonly buyer: string | null
}

/** How a receiver has behaved lately: counts that halve each hour. */
export interface PageBehaviour {
  readonly receiver: string
  readonly receiverName: string | null
  readonly refused: number
  readonly overcharged: number
  readonly broken: number
  /** What went wrong last. */
  readonly code: string
  readonly time: number
  /** What a purchase does there. */
  readonly trust: 'full' | 'noDeposit' | 'leftAlone'
  readonly leftAloneUntil: number | null
}

export interface PageTrouble {
  readonly time: number
  readonly level: 'warn' | 'error'
  readonly message: string
  readonly code: string | null
  readonly reason: string | null
  readonly hint: string | null
}

/** What an action answers when it is refused. */
export interface PageRefusal {
  readonly error: { readonly code: string; readonly message: string; readonly hint: string }
}
