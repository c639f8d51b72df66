// Terms, policy, channel, ledger, signer: in this order, and nothing is signed before.
import { randomUUID } from 'node:crypto'
import { type Terms, UraidenError } from '../../protocol/index.ts'
import { budgetSpent } from '../budget/caps.ts'
import type { ChannelFunding } from '../channels/funding.ts'
import type {
  ChannelBalance,
  Ledger,
  Purchase,
  Shortfall,
  Taken,
} from '../channels/ledger-types.ts'
import { formFor } from '../channels/proofs.ts'
import { type ChannelName, canPay, channelName } from '../channels/records.ts'
import { runHook } from './hooks.ts'
import { checkProposal } from './policy.ts'
import type { Attempt, ExchangeParts, PaidRequest } from './types.ts'

/**
 * The signed payment for a request. Undefined when only a channel at hand may be used and none fits.
 * @throws UraidenError of policy, budget and funding
 */
export async function prepare(
  parts: ExchangeParts,
  request: PaidRequest,
  terms: Terms,
  use: 'channelAtHand' | 'anyChannel',
): Promise<Attempt | undefined> {
  await checkPolicy(parts, request, terms)
  const purchase = purchaseOf(request, terms)
  const { ledger } = parts
  const channel = await channelFor(parts, request, terms, purchase, use)
  if (channel === undefined) return undefined
  const previous = ledger.get(channel).signed
  const taken = await ledger.take(channel, purchase)
  if ('short' in taken) {
    // While it was waited for, others used the channel up.
    if (taken.short === 'deposit' && use === 'channelAtHand') return undefined
    throw shortfallError(parts, terms, taken)
  }
  return sign(parts, request, terms, taken, previous)
}

/** True when requests to this receiver need not wait for each other. */
export function canGoTogether(ledger: Ledger, funding: ChannelFunding, terms: Terms): boolean {
  if (!terms.features.has('parallel')) return false
  const open = openChannels(ledger, terms)
  const settled = (channel: ChannelBalance): boolean =>
    channel.certain &&
    funding.unseen(channelName(channel.receiver, channel.openBlock)) === undefined
  return open.length > 0 && open.every(settled)
}

async function checkPolicy(
  { policy, receiverAt, token, memory, hooks }: ExchangeParts,
  request: PaidRequest,
  terms: Terms,
): Promise<void> {
  const { method, url, mostPrice, dryRun } = request
  if (terms.contract !== policy.contract) await runHook(hooks, 'wrongContract', request, { terms })
  const lastPrice = memory.lastPrice(method, url)
  const expected = receiverAt(url)
  checkProposal(
    dryRun ? { ...policy, dryRun } : policy,
    {
      url,
      terms,
      ...(mostPrice !== undefined && { mostPrice }),
      ...(lastPrice !== undefined && { lastPrice }),
      ...(expected !== undefined && { expected }),
    },
    token,
  )
}

function purchaseOf({ job }: PaidRequest, { price, features }: Terms): Purchase {
  return {
    price,
    receiverKnows: features.has('parallel') ? 'intervals' : 'balances',
    ...(job !== undefined && { job }),
  }
}

async function channelFor(
  parts: ExchangeParts,
  { url }: PaidRequest,
  terms: Terms,
  purchase: Purchase,
  use: 'channelAtHand' | 'anyChannel',
): Promise<ChannelName | undefined> {
  const { ledger, funding, token } = parts
  // After a crash the receiver is asked before anything new is opened or topped up.
  const hidden = openChannels(ledger, terms).find(({ certain }) => !certain)
  if (hidden !== undefined) return channelName(hidden.receiver, hidden.openBlock)
  const atHand = funding.atHand(terms.receiver, terms.price)
  if (atHand !== undefined || use === 'channelAtHand') return atHand
  // A transaction costs a fee: ask the budget first.
  const shortfall = ledger.shortfall(terms.receiver, purchase)
  if (shortfall !== undefined) throw shortfallError(parts, terms, shortfall)
  const { receiver, price, features, gatewayPath } = terms
  // Its deposit comes home before another one is locked.
  await parts.finishCloses(receiver)
  const relay = {
    api: new URL(gatewayPath, url),
    transport: parts.transport,
    pollInterval: parts.retryInterval,
  }
  return funding.ensure({ receiver, price, ...(features.has('relay') && { relay }) }, token)
}

function openChannels(ledger: Ledger, { receiver }: Terms): readonly ChannelBalance[] {
  return ledger.channels(receiver).filter(canPay)
}

function shortfallError({ token }: ExchangeParts, { price }: Terms, why: Shortfall): UraidenError {
  if (why.short === 'budget') return budgetSpent(price, why.limit, why.available, token)
  return new UraidenError({
    code: 'deposit_spent',
    message: 'The channel’s deposit was used up by other requests meanwhile.',
    hint: 'Nothing was signed. Try again.',
  })
}

async function sign(
  { ledger, proofs, contractVersion }: ExchangeParts,
  { idempotencyKey }: PaidRequest,
  terms: Terms,
  taken: Taken,
  previous: bigint,
): Promise<Attempt> {
  const { features, price } = terms
  const form = formFor(contractVersion, features)
  const proof = await proofs.payment(ledger.get(taken.channel), taken.interval.to, form)
  const payment =
    features.has('parallel') && taken.source !== 'probe' ? { ...proof, amount: price } : proof
  const key = features.has('idempotency') ? (idempotencyKey ?? randomUUID()) : undefined
  return { taken, payment, terms, previous, key }
}
