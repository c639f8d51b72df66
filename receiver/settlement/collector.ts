// Withdraws from open channels and closes channels from the receiver's side, when asked to or by itself.
import {
  type Address,
  type BlockNumber,
  isUraidenError,
  type TokenAmount,
  UraidenError,
} from '../../protocol/index.ts'
import type { ChannelBook } from '../channels/book.ts'
import { type Channel, channelName, type PaymentLedger } from '../channels/records.ts'
import type { SettlementLog } from './answers.ts'
import {
  type Collected,
  type Collection,
  type CollectKind,
  type CollectParts,
  collect,
} from './collect.ts'
import {
  type Collectable,
  type CollectPlan,
  type CollectPolicy,
  closeGas,
  type GasModel,
  planCollection,
  singleGas,
  withdrawGas,
} from './policy.ts'

export interface CollectorOptions extends CollectParts {
  readonly book: ChannelBook
  /** Reads the chain now. */
  readonly refresh: () => Promise<void>
  readonly log?: SettlementLog | undefined
}

export interface CollectOptions {
  /** Say what would be done, and do nothing. */
  readonly dryRun?: boolean
  /** By default all that is owed, at the usual price of gas. */
  readonly policy?: CollectPolicy
}

/** What was planned, and what of it was done. */
export interface CollectReport {
  readonly plan: CollectPlan
  /** Empty on a dry run. */
  readonly done: readonly Collected[]
  /** Got in all. */
  readonly sum: TokenAmount
}

export interface Collector {
  /**
   * The channels stay open.
   * @throws UraidenError those of the transaction sender, `collection_running`
   */
  readonly withdrawAll: (options?: CollectOptions) => Promise<CollectReport>
  /** Ends every channel that owes something; no payment is taken on them from then on. Throws the same. */
  readonly closeAll: (options?: CollectOptions) => Promise<CollectReport>
  /**
   * Ends one channel at its best proof.
   * @throws UraidenError `channel_unknown`, `never_paid`, and those of `closeAll`
   */
  readonly closeChannel: (sender: Address, openBlock: BlockNumber) => Promise<Collected>
  /** Withdraws in the background if the policy allows; resolves when that was decided. Never rejects. */
  readonly withdrawIfWorth: (policy: CollectPolicy, gasPrice: bigint) => Promise<void>
  readonly idle: () => Promise<void>
}

const everything: CollectPolicy = { least: 1n }

export function createCollector(options: CollectorOptions): Collector {
  const { book, transactions, refresh, hasBatches, log } = options
  let running: Promise<unknown> | undefined
  /** What the last collection did is in the book once the chain was read up to here. */
  let lastBlock: BlockNumber = 0
  let lastReason: CollectPlan['reason']

  /** Two at once would collect the same. */
  async function alone<Value>(work: () => Promise<Value>): Promise<Value> {
    if (running !== undefined) throw collectionRunning()
    const done = work()
    running = done.catch(() => undefined)
    try {
      return await done
    } finally {
      running = undefined
    }
  }

  async function plan(kind: CollectKind, policy: CollectPolicy): Promise<CollectPlan> {
    const gasPrice = await transactions.gasPrice()
    return planCollection(candidates(kind), policy, { gas: gasFor(kind), gasPrice })
  }

  function* candidates(kind: CollectKind): Iterable<Channel> {
    yield* book.inState('open')
    if (kind === 'withdraw') return
    for (const channel of book.inState('closing')) {
      // A sender that gives more than we can prove is left to it.
      if (channel.claims.highest >= (channel.end?.balance ?? 0n)) yield channel
    }
  }

  function gasFor(kind: CollectKind): GasModel {
    if (!hasBatches) return singleGas
    return kind === 'withdraw' ? withdrawGas : closeGas
  }

  async function collectOne(collection: Collection): Promise<Collected> {
    const work = (channels: readonly Channel[]) => collect(options, { ...collection, channels })
    const collected = await (collection.kind === 'close'
      ? closing(book, collection.channels, work)
      : work(collection.channels))
    lastBlock = Math.max(lastBlock, collected.block)
    return collected
  }

  /** What an earlier run had sent is waited for, so that it is not paid for twice. */
  async function finishEarlier(kind: CollectKind, policy: CollectPolicy): Promise<void> {
    const earlier = await transactions.resume(kind, 1, () => policy.mostGasPrice)
    if (earlier !== undefined) await refresh()
  }

  async function run(
    kind: CollectKind,
    { dryRun = false, policy = everything }: CollectOptions,
  ): Promise<CollectReport> {
    if (!dryRun) await finishEarlier(kind, policy)
    const planned = await plan(kind, policy)
    if (dryRun) return { plan: planned, done: [], sum: 0n }
    const done: Collected[] = []
    for (const batch of planned.batches) {
      const channels = channelsOf(batch)
      const feeCap = policy.mostGasPrice
      done.push(await collectOne({ kind, operation: kind, channels, feeCap }))
    }
    return { plan: planned, done, sum: sumOf(done) }
  }

  return {
    withdrawAll: (given = {}) => alone(() => run('withdraw', given)),
    closeAll: (given = {}) => alone(() => run('close', given)),
    closeChannel: (sender, openBlock) =>
      alone(async () => {
        const channel = withProof(book.get(sender, openBlock))
        const operation = `close/${channelName(sender, openBlock)}`
        const channels = [channel]
        return collectOne({ kind: 'close', operation, channels, feeCap: undefined })
      }),
    withdrawIfWorth: async (policy, gasPrice) => {
      if (running !== undefined || (book.position()?.block ?? 0) < lastBlock) return
      const gas = gasFor('withdraw')
      const { batches, reason, sum } = planCollection(book.inState('open'), policy, {
        gas,
        gasPrice,
      })
      if (reason !== lastReason) log?.info({ reason, sum: `${sum}` }, 'withdrawals')
      lastReason = reason
      if (batches.length === 0) return
      alone(() => run('withdraw', { policy })).then(
        ({ done, sum: got }) =>
          log?.info(
            { sum: `${got}`, transactions: done.map(({ transaction }) => transaction) },
            'withdrawn',
          ),
        (err) => {
          if (!isUraidenError(err, 'chain_closed')) log?.warn({ err }, 'could not withdraw')
        },
      )
    },
    idle: async () => {
      await running
    },
  }
}

/**
 * Takes no payment on these channels any more, so that nothing comes after the proofs that close
 * them; if nothing was sent, they go on as before.
 */
async function closing<Value>(
  book: ChannelBook,
  channels: readonly Channel[],
  work: (channels: readonly Channel[]) => Promise<Value>,
): Promise<Value> {
  const marked = channels.filter(({ agreedToClose }) => !agreedToClose)
  const mark = (change: Pick<PaymentLedger, 'agreedToClose'>) =>
    Promise.all(
      marked.map(({ sender, openBlock }) =>
        book.putLedger(sender, openBlock, { ...book.ledger(sender, openBlock), ...change }),
      ),
    )
  await mark({ agreedToClose: true })
  try {
    // A payment may have come just before the mark.
    return await work(channels.map((channel) => ({ ...channel, ...latest(book, channel) })))
  } catch (error) {
    const mayBeSent = ['transaction_unconfirmed', 'chain_closed'].some((code) =>
      isUraidenError(error, code),
    )
    if (!mayBeSent) await mark({ agreedToClose: false })
    throw error
  }
}

function latest(book: ChannelBook, { sender, openBlock }: Channel): PaymentLedger {
  return book.ledger(sender, openBlock)
}

function channelsOf(batch: readonly Collectable[]): readonly Channel[] {
  return batch.map(({ channel }) => channel)
}

function withProof(channel: Channel | undefined): Channel {
  if (channel === undefined || channel.state === 'settled') {
    throw new UraidenError({
      code: 'channel_unknown',
      message: 'There is no such channel.',
      hint: 'Check sender and open block.',
    })
  }
  if (channel.proof === undefined) {
    throw new UraidenError({
      code: 'never_paid',
      message: 'No payment was ever registered on this channel.',
      hint: 'There is nothing to collect. Its sender can close it without us.',
    })
  }
  return channel
}

function sumOf(done: readonly Collected[]): TokenAmount {
  return done.flatMap(({ channels }) => channels).reduce((sum, { amount }) => sum + amount, 0n)
}

function collectionRunning(): UraidenError {
  return new UraidenError({
    code: 'collection_running',
    message: 'Another withdrawal or close is under way.',
    hint: 'Wait until it is done, then look again.',
  })
}
