// What `uraiden-agent status` shows.

import type { KeyKind } from '../../../platform/keys/index.ts'
import type { Milliseconds } from '../../../platform/time/clock.ts'
import type { Address, BlockClock, TokenUnit } from '../../../protocol/index.ts'
import type { ChannelBalance } from '../../channels/ledger-types.ts'
import type { JobStatus } from '../../jobs/types.ts'
import type { BudgetView } from '../../options.ts'
import type { ReceiverBehaviour } from '../../purchase/behaviour.ts'
import type { LogEntry } from './log.ts'
import type { TransactionRate } from './transactions.ts'

export interface DaemonStatus {
  readonly pid: number
  /** Unix time in milliseconds. */
  readonly started: Milliseconds
  readonly configuration: {
    readonly file: string
    readonly loaded: Milliseconds
    /** Why the last reload was refused; undefined after one that was not. */
    readonly refused: string | undefined
  }
  /** Why nothing can be paid now; undefined when all is well. */
  readonly waiting: { readonly code: string; readonly message: string } | undefined
  readonly paused: boolean
  readonly address: Address
  readonly key: KeyKind
  /** Undefined until the chain has said it once. */
  readonly token: TokenUnit | undefined
  readonly jobs: readonly JobStatus[]
  readonly channels: readonly ChannelBalance[]
  /** Of the chain, read while channels are closing; undefined before. */
  readonly clock: BlockClock | undefined
  readonly budget: BudgetView | undefined
  /** How many transactions it makes; undefined where nothing is known to go by. */
  readonly transactions: TransactionRate | undefined
  /** Receivers with whom there was trouble lately, worst first. */
  readonly behaviour: readonly ReceiverBehaviour[]
  readonly card: {
    readonly mode: 'careful' | 'gentle'
    /** When what waited in memory was written last; undefined before the first time. Unix time. */
    readonly flushed: Milliseconds | undefined
  }
  readonly proxy:
    | { readonly port: number | undefined; readonly socket: string | undefined }
    | undefined
  /** The key stands in the page's address: who has it may look. */
  readonly page: { readonly port: number; readonly key: string } | undefined
  /** Since the start. */
  readonly counters: Counters
  /** Newest last. */
  readonly troubles: readonly LogEntry[]
}

export interface Counters {
  readonly payments: number
  readonly refusals: number
  readonly failures: number
}
