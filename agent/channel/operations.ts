// What ends a channel, and what finds it again.
import type { Receipt } from '../../platform/chain/index.ts'
import {
  type Address,
  type BlockNumber,
  type Hex,
  isUraidenError,
  type SignatureDomain,
  type Signer,
  type TokenAmount,
  UraidenError,
} from '../../protocol/index.ts'
import { formFor, type ProofMaker } from '../exchange/proofs.ts'
import { type ChannelName, channelName } from '../ledger/records.ts'
import type { ChannelBalance, Ledger } from '../ledger/types.ts'
import type { Transport } from '../transport.ts'
import type { AgentChain } from './agent-chain.ts'
import { askForBalance, askForClosingAgreement } from './close.ts'
import type { ChannelChangeListener } from './funding.ts'
import { channelsFromEvents, readOwnEvents } from './recovery.ts'

export interface OperationsOptions {
  readonly ledger: Ledger
  readonly chain: () => Promise<AgentChain>
  readonly contractVersion: () => Promise<string>
  readonly transport: Transport
  readonly proofs: ProofMaker
  readonly signer: Signer
  readonly domain: SignatureDomain
  readonly confirmations: number
  readonly onChange: ChannelChangeListener
}

export interface ChannelOperations {
  /**
   * Together with the receiver, whose channel API is at `api`: at once.
   * @throws UraidenError `close_refused`, `closing_agreement_invalid`, `balance_unknown`, and those of
   * transport and chain
   */
  readonly closeTogether: (name: ChannelName, api: URL) => Promise<Hex>
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

export function createOperations(options: OperationsOptions): ChannelOperations {
  const { ledger, chain, transport, proofs, signer, domain, confirmations, onChange } = options
  const sender = signer.address

  async function send(
    name: ChannelName,
    call: (chain: AgentChain) => Promise<Receipt>,
  ): Promise<Receipt> {
    try {
      return await call(await chain())
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
    const agreement = await askForClosingAgreement(transport, {
      api,
      sender,
      receiver,
      openBlock,
      balance,
      domain,
    })
    const form = formFor(await options.contractVersion(), new Set(['eip712']))
    const proof = await proofs.payment({ receiver, openBlock }, balance, form)
    const receipt = await send(name, ({ client, sender: transactions }) =>
      transactions.send(
        client.calls.cooperativeClose(
          { sender, receiver, openBlock },
          balance,
          proof.signature,
          agreement,
        ),
        confirmations,
      ),
    )
    await ledger.end(name, balance)
    onChange(name, { kind: 'closed', balance }, receipt)
    return receipt.transaction
  }

  /** A receiver agrees to its latest balance only; credit below it cannot be taken home. */
  async function balanceForClosing(name: ChannelName, api: URL): Promise<TokenAmount> {
    const { receiver, openBlock, certain, signed, top, bound, free } = ledger.get(name)
    if (certain && free.length === 0 && signed === top) return signed
    const claimed = await askForBalance(transport, { api, sender, openBlock })
    // It may be any that we have signed; more than the bound it cannot be.
    const possible = certain ? claimed === signed || claimed === top : claimed <= bound
    if (possible && claimed >= (certain ? 0n : signed)) return claimed
    throw balanceUnknown(receiver)
  }

  async function requestClose(name: ChannelName, given?: TokenAmount): Promise<Hex> {
    const { receiver, openBlock, certain, signed } = openChannel(ledger, name)
    if (!certain && given === undefined) throw balanceUnknown(receiver)
    const channel = { sender, receiver, openBlock }
    const { client } = await chain()
    const withdrawn = (await client.channelInfo(channel))?.withdrawn ?? 0n
    const owed = given ?? signed
    const balance = owed > withdrawn ? owed : withdrawn
    const receipt = await send(name, ({ client, sender: transactions }) =>
      transactions.send(client.calls.uncooperativeClose(channel, balance), confirmations),
    )
    const { challengePeriod } = await client.contractFacts()
    await ledger.update(name, { state: 'closing', settleBlock: receipt.block + challengePeriod })
    onChange(name, { kind: 'closeRequested', balance }, receipt)
    return receipt.transaction
  }

  async function settleOne(name: ChannelName): Promise<boolean> {
    const { receiver, openBlock, settleBlock = 0 } = ledger.get(name)
    const { client, sender: transactions } = await chain()
    const { number: head } = await client.head()
    // The next block is the first that can hold the transaction.
    if (head < settleBlock) return !(await lookAgain(name))
    const channel = { sender, receiver, openBlock }
    const info = await client.channelInfo(channel)
    if (info === undefined) return !(await lookAgain(name))
    const receipt = await transactions.send(client.calls.settle(channel), confirmations)
    await ledger.end(name, info.closingBalance)
    onChange(name, { kind: 'settled' }, receipt)
    return true
  }

  return {
    closeTogether,
    requestClose,
    settleDue: async () => {
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

function balanceUnknown(receiver: Address): UraidenError {
  return new UraidenError({
    code: 'balance_unknown',
    message: `It is not known how much of the channel to ${receiver} is spent.`,
    hint: 'Make one paid request first: the receiver then shows our last signature. Or name the balance.',
  })
}
