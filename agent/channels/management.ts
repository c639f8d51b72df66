// What an owner does with channels: opens, tops up, closes and settles them, finds them again. With a
// receiver's channels nothing else happens meanwhile.
import type { Locks } from '../../platform/async/locks.ts'
import {
  type Address,
  type ChainBlock,
  type Hex,
  isUraidenError,
  type TokenAmount,
} from '../../protocol/index.ts'
import type { AgentChain } from './agent-chain.ts'
import { requestClose, settleDue } from './closing-alone.ts'
import {
  type ClosingWork,
  closeTogether,
  finishClose,
  unfinishedCloses,
} from './closing-together.ts'
import { collectCredit } from './credit.ts'
import type { ChannelFunding } from './funding.ts'
import { unfinishedWork } from './intents.ts'
import type { ChannelName } from './records.ts'
import { recoverChannels } from './recovery.ts'
import { firstBlock } from './search.ts'
import { type Swept, sweepAccount } from './sweep.ts'

/** Where a receiver's channel API is, unless its terms say otherwise (wire-protocol.md section 5). */
const gatewayPath = '/api/1'

export interface CloseOptions {
  /**
   * Any URL of the receiver, to close together with it; without one it is closed alone. Behind a gateway
   * that takes a path away it is the root of the channel API, such as `https://host/shop/api/1`.
   */
  readonly api?: string | URL
  /** When the receiver refuses or cannot be reached. Default: give up with its error. */
  readonly otherwise?: 'requestClose'
  /** For a close without the receiver, where a crash hides the true balance. */
  readonly balance?: TokenAmount
}

export interface ManagementOptions {
  readonly work: ClosingWork
  readonly funding: ChannelFunding
  readonly locks: Locks
  /** In wei. */
  readonly mostFeePerGas: bigint | undefined
  /** Of the oldest own channel, as far as it is known. */
  readonly startBlock: ChainBlock | undefined
  /** The chain, once own channels were looked for on it. */
  readonly searchedChain: () => Promise<AgentChain>
}

export interface ChannelManagement {
  /** `api` is any URL of the receiver: it sends the transaction where we have no ether for one. */
  readonly openChannel: (
    receiver: Address,
    deposit: TokenAmount,
    api?: string | URL,
  ) => Promise<ChannelName>
  readonly topUp: (channel: ChannelName, added: TokenAmount, api?: string | URL) => Promise<void>
  /**
   * As a purchase would, before one needs it: within the budget of ether, at no price of gas far above that of
   * lately, and not for a receiver that is left alone. It adds more than `added` where that is not worth the fee.
   * Above `least` it takes half of what the account has, at most. Resolves with what was added: nothing where that is too little to help.
   * @throws UraidenError `budget_ether_spent`, `fee_jump`, `receiver_left_alone`, and those of the chain
   */
  readonly topUpAhead: (
    channel: ChannelName,
    added: TokenAmount,
    least: TokenAmount,
  ) => Promise<TokenAmount>
  /**
   * Resolves with the closing transaction, or with that of the close request: `settle` ends the channel
   * after the challenge period.
   */
  readonly closeChannel: (channel: ChannelName, how: string | URL | CloseOptions) => Promise<Hex>
  /**
   * Ends the channels whose challenge period is over, and takes up closes that were agreed and not
   * finished; to be called again later for the others. Collects what the token refused to pay when
   * channels ended, as soon as it pays.
   */
  readonly settle: () => Promise<readonly ChannelName[]>
  /**
   * Enters own channels that only the chain knows, from events since block `from`: by default `startBlock`, else
   * the contract's first block.
   */
  readonly recoverChannels: (from?: number) => Promise<readonly ChannelName[]>
  /**
   * Sends all tokens, what the token refused to pay before too, and, after the fees, all ether of the account there. Only without channels.
   * @throws UraidenError `sweep_channels_open`, `ether_missing`, and those of the chain
   */
  readonly sweep: (to: Address) => Promise<Swept>
  /** What is on its way to the chain: taken up at the next connection to it. */
  readonly unfinished: () => readonly string[]
}

export function createManagement(options: ManagementOptions): ChannelManagement {
  const { work, funding, locks, mostFeePerGas, startBlock, searchedChain } = options
  const { ledger, chain, confirmations } = work
  const aloneOn = <Value>(channel: ChannelName, act: () => Promise<Value>): Promise<Value> =>
    locks.alone(ledger.get(channel).receiver, act)
  return {
    openChannel: (receiver, deposit, api) =>
      locks.alone(receiver, () => funding.open(receiver, deposit, channelApi(api))),
    topUp: async (channel, added, api) => {
      const relay = channelApi(api)
      await aloneOn(channel, () => funding.topUp(channel, added, relay))
    },
    topUpAhead: (channel, added, least) =>
      aloneOn(channel, () => funding.topUpAhead(channel, added, least)),
    closeChannel: (channel, how) => {
      const chosen = typeof how === 'string' || how instanceof URL ? { api: how } : how
      return aloneOn(channel, () => close(work, channel, chosen))
    },
    settle: async () => {
      const closed: ChannelName[] = []
      let failure: unknown
      for (const name of unfinishedCloses(work)) {
        try {
          await aloneOn(name, () => finishClose(work, name))
          closed.push(name)
        } catch (error) {
          failure ??= error
        }
      }
      const settled = await settleDue(work)
      if (ledger.channels().some(({ state }) => state === 'closed')) {
        await collectCredit(await chain(), confirmations)
      }
      // One receiver that is away must not keep the channels to others from their end.
      if (failure !== undefined) throw failure
      return [...closed, ...settled]
    },
    recoverChannels: async (from) =>
      recoverChannels(work, await firstBlock((await chain()).client, from ?? startBlock)),
    sweep: async (to) =>
      sweepAccount(to, { ledger, chain: await searchedChain(), confirmations, mostFeePerGas }),
    unfinished: () => {
      const closes = unfinishedCloses(work).map((name) => `close ${name}`)
      return [...new Set([...unfinishedWork(ledger.notes), ...closes])]
    },
  }
}

function channelApi(receiver: string | URL | undefined): URL | undefined {
  return receiver === undefined ? undefined : apiOf(receiver)
}

function apiOf(receiver: string | URL): URL {
  const [, before = ''] = /^(.*?)\/api\/1(?:\/|$)/.exec(new URL(receiver).pathname) ?? []
  return new URL(`${before}${gatewayPath}`, receiver)
}

async function close(
  work: ClosingWork,
  channel: ChannelName,
  { api, otherwise, balance }: CloseOptions,
): Promise<Hex> {
  if (api === undefined) return requestClose(work, channel, balance)
  try {
    return await closeTogether(work, channel, apiOf(api))
  } catch (error) {
    const { state } = work.ledger.get(channel)
    if (otherwise === undefined || state !== 'open' || !isUraidenError(error)) throw error
    return requestClose(work, channel, balance)
  }
}
