// Ends a channel together with its receiver: at once. Begun and not finished, it is taken up again.

import type { Receipt } from '../../platform/chain/index.ts'
import {
  type Address,
  contractAbilities,
  formFor,
  type Hex,
  isUraidenError,
  type ProofMaker,
  type Signature,
  type SignatureDomain,
  shortSignature,
  type TokenAmount,
  type UraidenError,
} from '../../protocol/index.ts'
import { agentError } from '../errors/index.ts'
import type { AgentChain } from './agent-chain.ts'
import type { Bindings } from './binding.ts'
import { askForBalance, askForClosingAgreement, type CloseRequest } from './closing-agreement.ts'
import {
  balanceUnknown,
  type ChannelWork,
  isOnChain,
  openChannel,
  sendOnce,
} from './closing-alone.ts'
import { transactionIntent } from './intents.ts'
import { type FundingMethod, wantsRelay } from './opening.ts'
import { type ChannelName, channelName } from './records.ts'
import { type Relay, type RelayedClose, relayClose } from './relay.ts'

export interface ClosingWork extends ChannelWork {
  readonly proofs: ProofMaker
  readonly domain: SignatureDomain
  readonly contractVersion: () => Promise<string>
  readonly method: FundingMethod
  /** How to ask a receiver: for its agreement, and for a relay. */
  readonly relaying: Omit<Relay, 'api'>
  readonly bindings: Bindings
}

/** With these the receiver has not agreed to this question for certain, or was never asked. */
const neverAsked = ['receiver_unreachable', 'receiver_untrusted'] as const
const notAgreed = ['close_refused', 'closing_agreement_invalid', ...neverAsked] as const

/**
 * `api` is the receiver's channel API. Without ether the receiver sends the transaction.
 * @throws UraidenError `channel_not_open`, `close_refused`, `close_failed`, `closing_agreement_invalid`,
 * `balance_unknown`, and those of transport and chain
 */
export async function closeTogether(work: ClosingWork, name: ChannelName, api: URL): Promise<Hex> {
  const { ledger, proofs, domain, own: sender } = work
  const { receiver, openBlock } = openChannel(ledger, name)
  const channel = { sender, receiver, openBlock }
  const request = { api, ...channel, domain }
  const { agreement, balance } = await agreementAt(work, name, request)
  const version = await work.contractVersion()
  const form = formFor(version, new Set(['eip712']))
  const { signature } = await proofs.payment({ receiver, openBlock }, balance, form)
  const chain = await work.chain()
  if (await wantsRelay(chain, work.method)) {
    const closing = { openBlock, balance, signature }
    return closeByRelay(work, name, { ...closing, chain, relay: { ...work.relaying, api } })
  }
  const sent = contractAbilities(version).hasShortSignatures
    ? ([shortSignature(signature), shortSignature(agreement)] as const)
    : ([signature, agreement] as const)
  const call = chain.client.calls.cooperativeClose(channel, balance, ...sent)
  return (await sendOnce(work, name, { what: 'close', call })).transaction
}

interface RelayedClosing extends RelayedClose {
  readonly chain: AgentChain
  readonly relay: Relay
}

async function closeByRelay(
  { ledger, confirmations, bindings }: ClosingWork,
  name: ChannelName,
  { chain, relay, ...closing }: RelayedClosing,
): Promise<Hex> {
  const receipt = await relayClose(chain, closing, {
    ...{ relay, confirmations },
    bound: bindings.confirmed(name, relay.api),
  })
  await chain.book(receipt, transactionIntent(`close ${name}`))
  if (ledger.get(name).state !== 'closed') throw notClosed(receipt)
  return receipt.transaction
}

/** What both agree to; after a refusal at less, where the receiver says that it has less. */
async function agreementAt(
  work: ClosingWork,
  name: ChannelName,
  request: Omit<CloseRequest, 'balance'>,
): Promise<{ readonly agreement: Signature; readonly balance: TokenAmount }> {
  const { receiver, api } = request
  const balance = await balanceForClosing(work, name, api)
  // Without a payment no receiver agrees, and one of the original only fails.
  if (balance === 0n) throw neverPaid(receiver)
  try {
    return { agreement: await agreementOf(work, name, { ...request, balance }), balance }
  } catch (error) {
    const refused = ['close_refused', 'close_failed'] as const
    if (!refused.some((code) => isUraidenError(error, code))) throw error
    const less = await standsBelow(work, name, { ...request, balance })
    if (less === undefined) throw error
    // So it has not agreed to more.
    await work.ledger.update(name, { closeApi: undefined })
    if (less === 0n) throw neverPaid(receiver)
    const agreement = await agreementOf(work, name, { ...request, balance: less })
    return { agreement, balance: less }
  }
}

/** A payment that it never got; of a bound channel it was asked already. */
async function standsBelow(
  { relaying, bindings }: ClosingWork,
  name: ChannelName,
  { api, sender, openBlock, balance }: CloseRequest,
): Promise<TokenAmount | undefined> {
  if (bindings.confirmed(name, api) !== undefined) return
  try {
    const claimed = await askForBalance(relaying.transport, { api, sender, openBlock })
    return claimed < balance ? claimed : undefined
  } catch (error) {
    if (!isUraidenError(error)) throw error
    return undefined
  }
}

/**
 * A receiver that has agreed takes no payment any more, whether its answer arrives or not: written
 * down before it is asked, so that no later process pays there in vain.
 */
async function agreementOf(
  { ledger, relaying, bindings }: ClosingWork,
  name: ChannelName,
  request: CloseRequest,
): Promise<Signature> {
  const { closeApi: before } = ledger.get(name)
  const bound = bindings.confirmed(name, request.api)
  await ledger.update(name, { closeApi: request.api.href })
  try {
    return await askForClosingAgreement(relaying.transport, request, bound)
  } catch (error) {
    // An earlier question, whose answer was lost, may have got another answer. A bound one can be
    // repeated by whoever has seen it, as long as nothing more is paid.
    const undone = bound === undefined ? notAgreed : neverAsked
    if (undone.some((code) => isUraidenError(error, code))) {
      await ledger.update(name, { closeApi: before })
    }
    throw error
  }
}

/** A receiver agrees to its latest balance only; credit below it cannot be taken home. */
async function balanceForClosing(
  { ledger, relaying, bindings, own: sender }: ClosingWork,
  name: ChannelName,
  api: URL,
): Promise<TokenAmount> {
  const channel = ledger.get(name)
  const { receiver, openBlock, certain, signed, top, bound } = channel
  if (certain && channel.free.length === 0 && !channel.inDoubt && signed === top) return signed
  const claimed =
    bindings.confirmed(name, api) === undefined
      ? await askForBalance(relaying.transport, { api, sender, openBlock })
      : (await bindings.stand(name, api)).senderBalance
  // It may be any that we have signed; more than the bound it cannot be.
  const possible = certain ? claimed <= top : claimed >= signed && claimed <= bound
  if (possible) return claimed
  throw balanceUnknown(receiver)
}

/** Open channels whose receiver was asked to agree to a close, and may have. */
export function unfinishedCloses(
  { ledger }: Pick<ClosingWork, 'ledger'>,
  receiver?: Address,
): readonly ChannelName[] {
  return ledger
    .channels(receiver)
    .filter(({ state, closeApi }) => state === 'open' && closeApi !== undefined)
    .map((channel) => channelName(channel.receiver, channel.openBlock))
}

/**
 * Takes such a close up again, where it was begun.
 * @throws UraidenError those of `closeTogether`
 */
export async function finishClose(work: ClosingWork, name: ChannelName): Promise<void> {
  const { ledger } = work
  // Connecting books what an earlier process has begun, this close perhaps.
  await work.chain()
  const { state, closeApi } = ledger.get(name)
  if (state !== 'open' || closeApi === undefined) return
  try {
    await closeTogether(work, name, new URL(closeApi))
  } catch (error) {
    // The receiver may have ended it by itself, and know it no more.
    if (isUraidenError(error, 'close_refused')) await isOnChain(work, name)
    if (ledger.get(name).state === 'open') throw error
  }
}

/** For a payment, which goes on with another channel when a receiver does not close this one now. */
export async function finishCloses(work: ClosingWork, receiver: Address): Promise<void> {
  for (const name of unfinishedCloses(work, receiver)) {
    await finishClose(work, name).catch((error) => {
      if (!isUraidenError(error)) throw error
    })
  }
}

function neverPaid(receiver: Address): UraidenError {
  return agentError({
    code: 'close_refused',
    message: `The receiver ${receiver} has no payment on this channel, so it cannot agree to a close.`,
    hint: 'Nothing is owed. Close it without the receiver (--uncooperative), and settle it after the challenge period.',
  })
}

function notClosed({ transaction }: Receipt): UraidenError {
  return agentError({
    code: 'relay_failed',
    message: `The transaction ${transaction} that the receiver names has not closed the channel.`,
  })
}
