// Carries out what was planned: withdrawals from open channels, and closes from the receiver's side.
import type {
  Call,
  ChainClient,
  ChannelEvent,
  Receipt,
  TransactionSender,
} from '../../platform/chain/index.ts'
import type { Address, Hex, SignatureDomain, Signer, TokenAmount } from '../../protocol/index.ts'
import { signAgreement } from '../channels/closing.ts'
import { provenOf } from '../channels/proofs.ts'
import type { Channel } from '../channels/records.ts'

/** What collecting needs of the chain. */
export interface CollectParts {
  readonly chain: Pick<ChainClient, 'calls'>
  readonly transactions: TransactionSender
  readonly signer: Signer
  readonly domain: SignatureDomain
  /** Contracts of version 0.2 know neither batches nor closes without an agreement. */
  readonly hasBatches: boolean
}

/** What one transaction did. */
export interface Collected {
  readonly transaction: Hex
  readonly block: number
  readonly gasUsed: bigint
  readonly channels: readonly CollectedChannel[]
}

export interface CollectedChannel {
  readonly sender: Address
  readonly openBlock: number
  /** Got with this transaction, in the token's smallest unit. */
  readonly amount: TokenAmount
}

export type CollectKind = 'withdraw' | 'close'

export interface Collection {
  readonly kind: CollectKind
  /** After a crash the same name finds the transaction that was signed for it. */
  readonly operation: string
  readonly channels: readonly Channel[]
  /** In wei for a unit of gas. */
  readonly feeCap: bigint | undefined
}

/** @throws UraidenError those of the transaction sender */
export async function collect(
  parts: CollectParts,
  { kind, operation, channels, feeCap }: Collection,
): Promise<Collected> {
  const call = await (kind === 'withdraw'
    ? withdrawal(parts, channels)
    : closeTogether(parts, channels))
  const capped = { ...call, feeCap: () => feeCap }
  return collectedBy(await parts.transactions.send(capped, 1, operation))
}

/** From the chain's own words, because a batch leaves out what it cannot do. */
function collectedBy({ transaction, block, gasUsed, events }: Receipt): Collected {
  return { transaction, block, gasUsed, channels: events.flatMap(channelOf) }
}

function channelOf(event: ChannelEvent): readonly CollectedChannel[] {
  const { sender, openBlock } = event.channel
  if (event.kind === 'withdrawn') return [{ sender, openBlock, amount: event.amount }]
  if (event.kind === 'settled') return [{ sender, openBlock, amount: event.receiverTokens }]
  return []
}

async function withdrawal(
  { chain, hasBatches }: CollectParts,
  channels: readonly Channel[],
): Promise<Call> {
  const items = channels.flatMap(proofItem)
  const [only] = items
  if (only !== undefined && items.length === 1)
    return hasBatches ? chain.calls.withdrawOne(only) : chain.calls.withdraw(only)
  if (!hasBatches) throw new Error('a batch for a contract that has none')
  return chain.calls.withdrawBatch(items)
}

/** As `closeByReceiver`, many with one transaction. */
export async function closeTogether(
  parts: Omit<CollectParts, 'transactions'>,
  channels: readonly Channel[],
): Promise<Call> {
  const [only] = channels
  if (only !== undefined && channels.length === 1) return closeByReceiver(parts, only)
  return parts.chain.calls.cooperativeCloseBatch(channels.flatMap(proofItem))
}

function proofItem(channel: Channel) {
  const proven = provenOf(channel)
  return proven === undefined ? [] : [{ openBlock: channel.openBlock, ...proven }]
}

/**
 * Ends a channel at the best proof under its deposit, also in and after the challenge period: the contract
 * pays at once.
 */
export async function closeByReceiver(
  { chain, signer, domain, hasBatches }: Omit<CollectParts, 'transactions'>,
  ending: Channel,
): Promise<Call> {
  const { sender, openBlock } = ending
  const proven = provenOf(ending)
  if (proven === undefined) throw new Error('a close without a proof')
  const channel = { sender, receiver: signer.address, openBlock }
  if (hasBatches) return chain.calls.cooperativeCloseOne(channel, { openBlock, ...proven })
  const { balance, signature } = proven
  const agreement = await signAgreement({ signer, domain }, { sender, openBlock, balance }, 'seed')
  return chain.calls.cooperativeClose(channel, balance, signature, agreement)
}
