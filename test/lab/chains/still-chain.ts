// A chain that has opened channels and stands still, as much of it as a receiver asks for.
import type { BlockRef, ChannelEvent, EventQuery } from '../../../platform/chain/index.ts'
import type { Address, ChannelId, Hex } from '../../../protocol/index.ts'
import type { ConnectedContract } from '../../../receiver/core/receiver.ts'

export interface ChannelClient {
  readonly connected: ConnectedContract
}

export interface StillChain {
  readonly chainId: bigint
  readonly contract: Address
  readonly token: Address
  /** Of the contract. Default 0.3.0. */
  readonly version?: string
  readonly channels: readonly (ChannelId & { readonly deposit: bigint })[]
  /** The newest block. */
  readonly head: number
}

export function stillChain({
  chainId,
  contract,
  token,
  version = '0.3.0',
  channels,
  head,
}: StillChain): ChannelClient {
  const events = channels.map(
    ({ deposit, ...channel }, logIndex): ChannelEvent => ({
      ...{ kind: 'created', channel, deposit, logIndex, transaction: '0x' },
      ...placeOf(channel.openBlock),
    }),
  )
  const contractFacts = {
    version,
    token,
    challengePeriod: 500,
    mostDeposit: 2n ** 72n - 1n,
  }
  const tokenFacts = { address: token, name: 'Token', symbol: 'TKN', decimals: 0 }
  const chain: Partial<ConnectedContract['chain']> = {
    ...{ chainId, contract },
    head: async () => blockOf(head),
    block: async (number) => (number <= head ? blockOf(number) : undefined),
    events: async ({ from, to }: EventQuery) =>
      events.filter(({ block }) => block >= from && block <= to),
    contractFacts: async () => contractFacts,
    tokenFacts: async () => tokenFacts,
    etherBalance: async () => 10n ** 18n,
    tokenBalance: async () => 0n,
    request: async () => '0x1',
    close: () => undefined,
  }
  return {
    connected: { chain: chain as ConnectedContract['chain'], contractFacts, token: tokenFacts },
  }
}

function placeOf(block: number) {
  return { block, contractBlock: block, blockHash: hashOf(block) }
}

function blockOf(number: number): BlockRef {
  const hashes = { hash: hashOf(number), parentHash: hashOf(number - 1) }
  return { number, contractBlock: number, ...hashes, timestamp: number }
}

function hashOf(number: number): Hex {
  return `0x${number.toString(16).padStart(64, '0')}`
}
