// Withdraws from open channels and closes channels from the receiver's side, when asked to or by itself.

import {
  type Address,
  type ChainBlock,
  type ContractBlock,
  isUraidenError,
  type TokenAmount,
  type UraidenError,
} from '../../protocol/index.ts'
import type { ChannelBook } from '../channels/book.ts'
import { paidChannel, whileClosing } from '../channels/closing.ts'
import { provenBalance } from '../channels/proofs.ts'
import { type Channel, channelName } from '../channels/records.ts'
import { receiverError } from '../errors/index.ts'
import type { SettlementLog } from './answers.ts'
import {
  type Collected,
  type Collection,
  type CollectKind,
  type CollectParts,
  collect,
} from './collect.ts'
import {
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
  /** Of this channel only. */
  readonly only?: Pick<Channel, 'sender' | 'openBlock'> | undefined
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
  /**
   * Ends every channel that owes something, or `only` one; no payment is taken on them from then on.
   * @throws UraidenError the same; with `only` `channel_unknown`, `never_paid`
   */
  readonly closeAll: (options?: CollectOptions) => Promise<CollectReport>
  /**
   * Ends one channel at its best proof.
   * @throws UraidenError `channel_unknown`, `never_paid`, and those of `closeAll`
   */
  readonly closeChannel: (sender: Address, openBlock: ContractBlock) => Promise<Collected>
  /** Withdraws in the background if the policy allows; resolves when that was decided. Never rejects. */
  readonly withdrawIfWorth: (policy: CollectPolicy, gasPrice: bigint) => Promise<void>
  readonly idle: () => Promise<void>
}

const nothingPaid = 'There is nothing to collect. Its sender can close it without us.'

function isAmong(only: CollectOptions['only']): (channel: Channel) => boolean {
  return ({ sender, openBlock }) =>
    only === undefined || (only.sender === sender && only.openBlock === openBlock)
}

const everything: CollectPolicy = { least: 1n }

interface CollectorState extends CollectorOptions {
  running: Promise<unknown> | undefined
  /** What the last collection did is seen once the chain was read up to here. */
  lastBlock: ChainBlock
  lastReason: CollectPlan['reason']
}

export function createCollector(options: CollectorOptions): Collector {
  const collector: CollectorState = {
    ...options,
    running: undefined,
    lastBlock: 0,
    lastReason: undefined,
  }
  return {
    withdrawAll: (given = {}) => alone(collector, () => run(collector, 'withdraw', given)),
    closeAll: (given = {}) => alone(collector, () => run(collector, 'close', given)),
    closeChannel: (sender, openBlock) =>
      alone(collector, async () => {
        const channels = [paidChannel(options.book.get(sender, openBlock), nothingPaid)]
        const operation = `close/${channelName(sender, openBlock)}`
        return collectOne(collector, { kind: 'close', operation, channels, feeCap: undefined })
      }),
    withdrawIfWorth: (policy, gasPrice) => withdrawIfWorth(collector, policy, gasPrice),
    idle: async () => {
      await collector.running
    },
  }
}

/** Two at once would collect the same. */
async function alone<Value>(collector: CollectorState, work: () => Promise<Value>): Promise<Value> {
  if (collector.running !== undefined) throw collectionRunning()
  const done = work()
  collector.running = done.catch(() => undefined)
  try {
    return await done
  } finally {
    collector.running = undefined
  }
}

async function run(
  collector: CollectorState,
  kind: CollectKind,
  { dryRun = false, policy = everything, only }: CollectOptions,
): Promise<CollectReport> {
  const { book, transactions, hasBatches } = collector
  if (only !== undefined) paidChannel(book.get(only.sender, only.openBlock), nothingPaid)
  if (!dryRun) await finishEarlier(collector, kind, policy)
  const market = { gas: gasFor(kind, hasBatches), gasPrice: await transactions.gasPrice() }
  const plan = planCollection([...candidates(book, kind)].filter(isAmong(only)), policy, market)
  if (dryRun) return { plan, done: [], sum: 0n }
  const done: Collected[] = []
  for (const batch of plan.batches) {
    const channels = batch.map(({ channel }) => channel)
    const feeCap = policy.mostGasPrice
    done.push(await collectOne(collector, { kind, operation: kind, channels, feeCap }))
  }
  return { plan, done, sum: sumOf(done) }
}

/** What an earlier run had sent is waited for, so that it is not paid for twice. */
async function finishEarlier(
  { transactions, refresh }: CollectorState,
  kind: CollectKind,
  policy: CollectPolicy,
): Promise<void> {
  const earlier = await transactions.resume(kind, 1, () => policy.mostGasPrice)
  if (earlier !== undefined) await refresh()
}

function* candidates(book: ChannelBook, kind: CollectKind): Iterable<Channel> {
  for (const channel of book.asSeen()) {
    // A sender that gives more than we can prove is left to it.
    const isOurs = kind === 'close' && provenBalance(channel) >= (channel.end?.balance ?? 0n)
    if (channel.state === 'open' || (channel.state === 'closing' && isOurs)) yield channel
  }
}

function gasFor(kind: CollectKind, hasBatches: boolean): GasModel {
  if (!hasBatches) return singleGas
  return kind === 'withdraw' ? withdrawGas : closeGas
}

async function collectOne(collector: CollectorState, collection: Collection): Promise<Collected> {
  const work = (channels: readonly Channel[]) => collect(collector, { ...collection, channels })
  const collected = await (collection.kind === 'close'
    ? whileClosing(collector.book, collection.channels, work)
    : work(collection.channels))
  collector.lastBlock = Math.max(collector.lastBlock, collected.block)
  return collected
}

async function withdrawIfWorth(
  collector: CollectorState,
  policy: CollectPolicy,
  gasPrice: bigint,
): Promise<void> {
  const { book, hasBatches, log } = collector
  const isRead = book.seenTo() >= collector.lastBlock
  if (collector.running !== undefined || !isRead) return
  const market = { gas: gasFor('withdraw', hasBatches), gasPrice }
  const { batches, reason, sum } = planCollection(candidates(book, 'withdraw'), policy, market)
  if (reason !== collector.lastReason) log?.info({ reason, sum: `${sum}` }, 'withdrawals')
  collector.lastReason = reason
  if (batches.length === 0) return
  alone(collector, () => run(collector, 'withdraw', { policy })).then(
    ({ done, sum: got }) => {
      const transactions = done.map(({ transaction }) => transaction)
      log?.info({ sum: `${got}`, transactions }, 'withdrawn')
    },
    (err) => {
      if (!isUraidenError(err, 'chain_closed')) log?.warn({ err }, 'could not withdraw')
    },
  )
}

function sumOf(done: readonly Collected[]): TokenAmount {
  return done.flatMap(({ channels }) => channels).reduce((sum, { amount }) => sum + amount, 0n)
}

function collectionRunning(): UraidenError {
  return receiverError({
    code: 'collection_running',
    message: 'Another withdrawal or close is under way.',
  })
}
