// Runs the synchronisation in the background and knows how well the node does, so that no request
// has to ask the chain.

import type { BlockRef } from '../../platform/chain/index.ts'
import {
  type ChainBlock,
  type ContractBlock,
  isUraidenError,
  type UraidenError,
} from '../../protocol/index.ts'
import type { SeenElsewhere } from '../channels/state.ts'
import { receiverError } from '../errors/index.ts'
import { type SyncOptions, type SyncOutcome, syncOnce } from './sync.ts'

export interface WatchOptions extends Omit<SyncOptions, 'onHead'> {
  /** Between two rounds, in milliseconds. */
  readonly interval: number
  /** Does what else has to be looked at in each round. */
  readonly afterSync: () => Promise<void>
  /** What somebody else has seen, who reads the chain in place of this process; undefined: it reads it itself. */
  readonly seenElsewhere?: (() => Promise<SeenElsewhere | undefined>) | undefined
  readonly onOutcome: (outcome: SyncOutcome) => void
  readonly onError: (error: unknown) => void
  /** Milliseconds that only grow; the process's own by default. */
  readonly now?: () => number
}

/** What the looks at the chain have found up to now. One object, written anew with every look. */
export interface LastLook {
  /** False once a round failed or the node was behind, until one goes well again. */
  readonly answers: boolean
  /** When a round went well last, in milliseconds of the clock; -Infinity before the first. */
  readonly wentWell: number
  /** The newest block that the node told of. */
  readonly head: ChainBlock | undefined
  /** The same block as the contract counts. */
  readonly contractHead: ContractBlock | undefined
}

export interface ChainWatch {
  /** Resolves once the chain was read up to its head for the first time. */
  readonly synced: Promise<void>
  readonly look: LastLook
  /** Milliseconds since the last round that went well; Infinity before the first. */
  readonly age: () => number
  /** Resolves when a round is done that began after the call. */
  readonly refresh: () => Promise<void>
  readonly stop: () => Promise<void>
}

interface Watching extends WatchOptions {
  readonly now: () => number
  readonly look: { -readonly [Name in keyof LastLook]: LastLook[Name] }
  readonly first: FirstSync
  stopped: boolean
  timer: NodeJS.Timeout | undefined
  running: Promise<void> | undefined
  /** Begins when the running one is done; for all who asked meanwhile. */
  next: Promise<void> | undefined
}

const noHead = { head: undefined, contractHead: undefined }

export function watchChain(options: WatchOptions): ChainWatch {
  const { now = () => performance.now() } = options
  const look = { answers: true, wentWell: Number.NEGATIVE_INFINITY, ...noHead }
  const first = firstSync()
  const state = { stopped: false, timer: undefined, running: undefined, next: undefined }
  const watching: Watching = { ...options, now, look, first, ...state }
  schedule(watching)
  return {
    synced: first.synced,
    look: watching.look,
    age: () => now() - watching.look.wentWell,
    refresh: () => refresh(watching),
    stop: async () => {
      watching.stopped = true
      clearTimeout(watching.timer)
      await watching.running?.catch(() => undefined)
      first.never()
    },
  }
}

function schedule(watching: Watching): void {
  refresh(watching)
    .catch(watching.onError)
    .then(() => {
      if (watching.stopped) return
      watching.timer = setTimeout(() => schedule(watching), watching.interval)
    })
}

function refresh(watching: Watching): Promise<void> {
  if (watching.running === undefined) return begin(watching)
  watching.next ??= watching.running
    .catch(() => undefined)
    .then(() => {
      watching.next = undefined
      return watching.stopped ? undefined : begin(watching)
    })
  return watching.next
}

function begin(watching: Watching): Promise<void> {
  watching.running ??= round(watching).finally(() => {
    watching.running = undefined
  })
  return watching.running
}

async function round(watching: Watching): Promise<void> {
  const { look, first, now, afterSync, onError } = watching
  try {
    const seen = await watching.seenElsewhere?.()
    if (seen !== undefined) {
      takeSeen(watching, seen)
      return
    }
    if (!(await readUp(watching))) {
      look.answers = false
      return
    }
    await afterSync()
    look.wentWell = now()
    look.answers = true
    first.done()
  } catch (error) {
    look.answers = false
    if (!isUraidenError(error)) throw error
    onError(error)
  }
}

function takeSeen({ look, first, now }: Watching, seen: SeenElsewhere): void {
  const { answers, age, head, contractHead } = seen
  Object.assign(look, { answers, head, contractHead, wentWell: now() - age })
  if (Number.isFinite(age)) first.done()
}

/** True when the chain was read up to its head. */
async function readUp(watching: Watching): Promise<boolean> {
  const { look, onOutcome } = watching
  const options = {
    ...watching,
    onHead: ({ number, contractBlock }: BlockRef) => {
      look.head = number
      look.contractHead = contractBlock
    },
  }
  const outcome = await syncOnce(options)
  onOutcome(outcome)
  // Nobody can pay until the new chain was read: now, and not after the interval.
  const last = outcome.kind === 'reorganised' ? await syncOnce(options) : outcome
  return last.kind === 'synced'
}

interface FirstSync {
  readonly synced: Promise<void>
  readonly done: () => void
  /** It was stopped before. */
  readonly never: () => void
}

function firstSync(): FirstSync {
  let done: () => void = () => undefined
  let reject: (error: Error) => void = () => undefined
  const synced = new Promise<void>((resolve, failed) => {
    done = resolve
    reject = failed
  })
  // Whoever waits gets the error; nobody has to wait.
  synced.catch(() => undefined)
  return { synced, done, never: () => reject(stoppedBefore()) }
}

function stoppedBefore(): UraidenError {
  return receiverError({
    code: 'stopped',
    message: 'The receiver was stopped before it had read the chain.',
  })
}
