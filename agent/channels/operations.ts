// What ends a channel, and what finds it again.
import type { Call, Receipt } from '../../platform/chain/index.ts'
import {
  type Address,
  type BlockNumber,
  type Hex,
  isUraidenError,
  largest,
  type Signature,
  type SignatureDomain,
  type Signer,
  type TokenAmount,
  UraidenError,
} from '../../protocol/index.ts'
import type { Transport } from '../transport/transport.ts'
import type { AgentChain } from './agent-chain.ts'
import { askForBalance, askForClosingAgreement, type CloseRequest } from './close.ts'
import { transactionIntent, unfinishedWork } from './intents.ts'
import type { ChannelBalance, Ledger } from './ledger-types.ts'
import { type FundingMethod, wantsRelay } from './opening.ts'
import { formFor, type ProofMaker } from './proofs.ts'
import { type ChannelName, channelName } from './records.ts'
import { channelsFromEvents, readOwnEvents } from './recovery.ts'
import { relayClose } from './relay.ts'

export interface OperationsOptions {
  readonly ledger: Ledger
  readonly chain: () => Promise<AgentChain>
  readonly contractVersion: () => Promise<string>
  readonly transport: Transport
  readonly proofs: ProofMaker
  readonly signer: Signer
  readonly domain: SignatureDomain
  readonly confirmations: number
  readonly method: FundingMethod
  /** Between two looks for a transaction, in milliseconds. */
  readonly pollInterval: number
}

export interface ChannelOperations {
  /**
   * Together with the receiver, whose channel API is at `api`: at once. Without ether the receiver sends
   * the transaction.
   * @throws UraidenError `close_refused`, `close_failed`, `closing_agreement_invalid`, `balance_unknown`,
   * and those of transport and chain
   */
  readonly closeTogether: (name: ChannelName, api: URL) => Promise<Hex>
  /** Open channels whose receiver was asked to agree to a close, and may have. */
  readonly unfinishedCloses: (receiver?: Address) => readonly ChannelName[]
  /**
   * Takes such a close up again, where it was begun.
   * @throws UraidenError those of `closeTogether`
   */
  readonly finishClose: (name: ChannelName) => Promise<void>
  /**
   * Without the receiver: `settle` after the challenge period ends it. `balance` only where a crash
   * hides the true one.
   * @throws UraidenError `balance_unknown`, and those of the chain
   */
  readonly requestClose: (name: ChannelName, balance?: TokenAmount) => Promise<Hex>
  /** Ends every channel whose challenge period is over. Resolves with those that it ended. */
  readonly settleDue: () => Promise<readonly ChannelName[]>
  /** Enters own channels that the chain knows and the ledger does not. Resolves with those. */
  readonly recover: (from: BlockNumber) => Promise<readonly ChannelName[]>
}

/** With these the receiver has not agreed to this question for certain, or was never asked. */
const notAgreed = [
  'close_refused',
  'closing_agreement_invalid',
  'receiver_unreachable',
  'receiver_untrusted',
] as const

export function createOperations(options: OperationsOptions): ChannelOperations {
  const { ledger, chain, transport, proofs, signer, domain, confirmations } = options
  const sender = signer.address

  /** Sends once, also over a crash, and books what it did. */
  async function send(name: ChannelName, what: string, call: Call): Promise<Receipt> {
    const { sender: transactions, book } = await chain()
    const operation = `${what} ${name}`
    try {
      const receipt = await transactions.send(call, confirmations, operation)
      await book(receipt, transactionIntent(operation))
      return receipt
    } catch (error) {
      // Somebody else may have ended it, the receiver for one.
      if (isUraidenError(error, 'transaction_reverts')) await lookAgain(name)
      throw error
    }
  }

  async function lookAgain(name: ChannelName): Promise<boolean> {
    const { receiver, openBlock, balance } = ledger.get(name)
    const { client } = await chain()
    const info = await client.channelInfo({ sender, receiver, openBlock })
    if (info === undefined) await ledger.end(name, balance)
    return info !== undefined
  }

  async function closeTogether(name: ChannelName, api: URL): Promise<Hex> {
    const { receiver, openBlock } = openChannel(ledger, name)
    const balance = await balanceForClosing(name, api)
    const channel = { sender, receiver, openBlock }
    const agreement = await agreementOf(name, { api, ...channel, balance, domain })
    const form = formFor(await options.contractVersion(), new Set(['eip712']))
    const { signature } = await proofs.payment({ receiver, openBlock }, balance, form)
    const connected = await chain()
    if (await wantsRelay(connected, options.method)) {
      const relay = { api, transport, pollInterval: options.pollInterval }
      const closing = { openBlock, balance, signature }
      const receipt = await relayClose(connected, relay, closing, confirmations)
      await connected.book(receipt, transactionIntent(`close ${name}`))
      if (ledger.get(name).state !== 'closed') throw notClosed(receipt)
      return receipt.transaction
    }
    const { calls } = connected.client
    const call = calls.cooperativeClose(channel, balance, signature, agreement)
    return (await send(name, 'close', call)).transaction
  }

  /**
   * A receiver that has agreed takes no payment any more, whether its answer arrives or not: written
   * down before it is asked, so that no later process pays there in vain.
   */
  async function agreementOf(name: ChannelName, request: CloseRequest): Promise<Signature> {
    const { closeApi: before } = ledger.get(name)
    await ledger.update(name, { closeApi: request.api.href })
    try {
      return await askForClosingAgreement(transport, request)
    } catch (error) {
      // An earlier question, whose answer was lost, may have got another answer.
      if (notAgreed.some((code) => isUraidenError(error, code))) {
        await ledger.update(name, { closeApi: before })
      }
      throw error
    }
  }

  /** A receiver agrees to its latest balance only; credit below it cannot be taken home. */
  async function balanceForClosing(name: ChannelName, api: URL): Promise<TokenAmount> {
    const channel = ledger.get(name)
    const { receiver, openBlock, certain, signed, top, bound } = channel
    if (certain && channel.free.length === 0 && !channel.inDoubt && signed === top) return signed
    const claimed = await askForBalance(transport, { api, sender, openBlock })
    // It may be any that we have signed; more than the bound it cannot be.
    const possible = certain ? claimed <= top : claimed >= signed && claimed <= bound
    if (possible) return claimed
    throw balanceUnknown(receiver)
  }

  async function requestClose(name: ChannelName, given?: TokenAmount): Promise<Hex> {
    const { receiver, openBlock, certain, signed } = openChannel(ledger, name)
    if (!certain && given === undefined) throw balanceUnknown(receiver)
    const channel = { sender, receiver, openBlock }
    const { client } = await chain()
    const withdrawn = (await client.channelInfo(channel))?.withdrawn ?? 0n
    const owed = given ?? signed
    const balance = largest(owed, withdrawn)
    const call = client.calls.uncooperativeClose(channel, balance)
    return (await send(name, 'request the close of', call)).transaction
  }

  async function settleOne(name: ChannelName): Promise<boolean> {
    const { receiver, openBlock, settleBlock = 0 } = ledger.get(name)
    const { client } = await chain()
    const { number: head } = await client.head()
    // The next block is the first that can hold the transaction.
    if (head < settleBlock) return !(await lookAgain(name))
    const channel = { sender, receiver, openBlock }
    const info = await client.channelInfo(channel)
    if (info === undefined) return !(await lookAgain(name))
    await send(name, 'settle', client.calls.settle(channel))
    return true
  }

  return {
    closeTogether,
    unfinishedCloses: (receiver) =>
      ledger
        .channels(receiver)
        .filter(({ state, closeApi }) => state === 'open' && closeApi !== undefined)
        .map((channel) => channelName(channel.receiver, channel.openBlock)),
    finishClose: async (name) => {
      // Connecting books what an earlier process has begun, this close perhaps.
      await chain()
      const { state, closeApi } = ledger.get(name)
      if (state !== 'open' || closeApi === undefined) return
      try {
        await closeTogether(name, new URL(closeApi))
      } catch (error) {
        // The receiver may have ended it by itself, and know it no more.
        if (isUraidenError(error, 'close_refused')) await lookAgain(name)
        if (ledger.get(name).state === 'open') throw error
      }
    },
    requestClose,
    settleDue: async () => {
      // Connecting books what an earlier process has begun.
      if (unfinishedWork(ledger.notes).length > 0) await chain()
      const settled: ChannelName[] = []
      for (const { state, receiver, openBlock } of ledger.channels()) {
        const name = channelName(receiver, openBlock)
        if (state === 'closing' && (await settleOne(name))) settled.push(name)
      }
      return settled
    },
    recover: async (from) => {
      const { client } = await chain()
      const { challengePeriod } = await client.contractFacts()
      const events = await readOwnEvents(client, sender, from)
      const known = new Set(
        ledger.channels().map(({ receiver, openBlock }) => channelName(receiver, openBlock)),
      )
      const found: ChannelName[] = []
      for (const entry of channelsFromEvents(events, challengePeriod)) {
        const name = channelName(entry.receiver, entry.openBlock)
        if (known.has(name)) continue
        await ledger.add(entry)
        found.push(name)
      }
      return found
    },
  }
}

function openChannel(ledger: Ledger, name: ChannelName): ChannelBalance {
  const channel = ledger.get(name)
  if (channel.state === 'open') return channel
  throw new UraidenError({
    code: 'channel_not_open',
    message: `The channel ${name} is ${channel.state}.`,
    hint: channel.state === 'closing' ? 'Settle it after the challenge period.' : 'It is over.',
  })
}

function notClosed({ transaction }: Receipt): UraidenError {
  return new UraidenError({
    code: 'relay_failed',
    message: `The transaction ${transaction} that the receiver names has not closed the channel.`,
    hint: 'Nothing is lost. Close without the receiver (uncooperative).',
  })
}

function balanceUnknown(receiver: Address): UraidenError {
  return new UraidenError({
    code: 'balance_unknown',
    message: `It is not known how much of the channel to ${receiver} is spent.`,
    hint: 'Make one paid request first: the receiver then shows our last signature. Or name the balance.',
  })
}
