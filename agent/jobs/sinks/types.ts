// Where bought data goes, and how a sink and its queue talk to each other.
import type { Milliseconds } from '../../../platform/time/clock.ts'

/** One paid body on its way to one sink. */
export interface Entry {
  /** Unique for ever: the same run has the same id in every sink, before and after a crash. */
  readonly id: string
  readonly job: string
  /** When it was bought. Unix time in milliseconds. */
  readonly time: Milliseconds
  /** What was charged, in the smallest unit of the token or of the asset, as a decimal. */
  readonly cost: string
  /** The asset that it was paid with; undefined for the channels' token. */
  readonly asset?: string
  /**
   * Whether it is proven to be the receiver's own answer to this request; undefined of what an earlier version
   * bought.
   */
  readonly authentic?: boolean | undefined
  readonly contentType: string
  /** What the sink was configured to pick of the body; else the body. */
  readonly payload: Uint8Array
}

/**
 * One destination. Called by its queue alone: one call at a time, entries in their order, and again with
 * the same entries when it failed.
 */
export interface Sink {
  /**
   * Resolves with how many entries from the front have arrived.
   * @throws UraidenError why not even the first one has
   */
  readonly deliver: (entries: readonly Entry[]) => Promise<number>
  /** Of entries that a crash left undecided: the newest one that has arrived. */
  readonly lastDelivered?: () => Promise<string | undefined>
  /** Before `settle`: what has arrived is on its way to the disk, so that another file's sync brings it there, too. */
  readonly beginSettling?: () => Promise<void>
  /** Makes durable what has arrived. Only then are entries forgotten; without it at once. */
  readonly settle?: () => Promise<void>
  readonly stop: () => Promise<void>
}

/** A short text of a sink's own beside its queue, which a killed process leaves as it was put last. */
export interface SinkMarks {
  readonly get: () => Promise<string | undefined>
  readonly put: (text: string) => Promise<void>
}

/** What a person wants to know of a sink. */
export interface SinkStatus {
  /** Names kind and target, such as `file:/var/lib/…`. */
  readonly id: string
  /** Waiting on the disk. */
  readonly waiting: number
  readonly waitingBytes: number
  /** Since the start of the process. */
  readonly delivered: number
  /** Thrown away because the queue was full; kept over restarts. */
  readonly dropped: number
  /** Thrown away because the target will never take them; kept over restarts. */
  readonly refused: number
  /** Why the last delivery failed; undefined after one that did not. */
  readonly problem: string | undefined
}

export type SinkEvent =
  /** Said once until it works again. */
  | { readonly kind: 'sinkFailing'; readonly sink: string; readonly error: Error }
  | { readonly kind: 'sinkRecovered'; readonly sink: string; readonly waiting: number }
  /** The queue is full; said once until it is not. */
  | { readonly kind: 'sinkFull'; readonly sink: string; readonly waiting: number }
  | {
      readonly kind: 'entryRefused'
      readonly sink: string
      readonly id: string
      readonly why: string
    }
  /** Entries wait for a sink that the configuration does not have any more. */
  | { readonly kind: 'sinkOrphaned'; readonly sink: string; readonly waiting: number }
