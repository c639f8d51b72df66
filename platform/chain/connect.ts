// One JSON-RPC connection to a node (geth or any other), bound to one channels contract.

import type { Interface } from 'ethers'
import { channelsAbi } from '../../contracts/abi/channels.ts'
import { tokenAbi } from '../../contracts/abi/token.ts'
import {
  type Address,
  contractAbilities,
  type Hex,
  isUraidenError,
  maxTokenAmount,
  parseAddress,
  toQuantity,
} from '../../protocol/index.ts'
import { platformError } from '../errors/index.ts'
import type { MonotonicClock } from '../time/monotonic.ts'
import { decodeChannelLogs, decoded, type PlacedLog, readLogs, readQuantity } from './answers.ts'
import { type ContractBlocks, createContractBlocks } from './block-numbers.ts'
import { channelCalls } from './calls.ts'
import { isRevert, type NodeError } from './node.ts'
import { readInPieces } from './ranges.ts'
import type { Request } from './request.ts'
import { connectRpc, observed, type RequestObserver } from './rpc.ts'
import { readToken } from './token.ts'
import type { ChainClient, ChannelInfo, ContractFacts, EventQuery } from './types.ts'

export interface ChainOptions {
  /** One node, or several in the order of preference. */
  readonly rpcUrl: string | readonly string[]
  readonly contract: Address
  /** Refuse a node of another chain. */
  readonly chainId?: bigint | undefined
  /** Longest wait for one answer of the node, in milliseconds. */
  readonly timeout?: number | undefined
  /** How many of the nodes have to say the same where money depends on it. Default 1. */
  readonly quorum?: number | undefined
  readonly onRequest?: RequestObserver | undefined
  readonly now?: MonotonicClock | undefined
}

/** The event topics that are about channels; the contract's administrative ones are left out. */
const channelEvents = [
  'ChannelCreated',
  'ChannelToppedUp',
  'ChannelCloseRequested',
  'ChannelChallenged',
  'ChannelWithdraw',
  'ChannelSettled',
] as const

/**
 * Connects and asks the node for its chain id. ethers is loaded here and not before, because it is
 * heavy and an agent needs it for chain operations only.
 * @throws UraidenError `chain_unavailable`, `wrong_chain`, `rpc_url_invalid`, `quorum_too_large`; its
 * methods also `rpc_error`, `nodes_disagree`, and those that read the contract `contract_missing`, `contract_version_unsupported`, `chain_unsupported`
 */
export async function connectChain(options: ChainOptions): Promise<ChainClient> {
  const { contract, rpcUrl, timeout = 10_000, onRequest } = options
  const { Interface } = await import('ethers')
  const rpc = await connectRpc({
    urls: typeof rpcUrl === 'string' ? [rpcUrl] : rpcUrl,
    chainId: options.chainId,
    timeout,
    quorum: options.quorum,
    now: options.now,
  })
  const { chainId, close } = rpc
  const request = onRequest === undefined ? rpc.request : observed(rpc.request, onRequest)
  const channels = new Interface(channelsAbi)
  const token = new Interface(tokenAbi)
  const blocks = createContractBlocks(request)
  const reader = contractReader(request, contract, { channels, blocks })
  return {
    chainId,
    contract,
    request,
    head: async () => blocks.read(await request('eth_getBlockByNumber', ['latest', false])),
    block: async (number) => {
      const block = await request('eth_getBlockByNumber', [toQuantity(number), false])
      return block === null ? undefined : blocks.read(block)
    },
    contractFacts: () => reader.contractFacts(),
    tokenFacts: async () => readToken(request, (await reader.contractFacts()).token, token),
    tokenBalance: async (account) => {
      const { token: address } = await reader.contractFacts()
      const [balance] = await readContract(request, address, token, 'balanceOf', [account])
      return balance as bigint
    },
    allowance: async (account) => {
      const { token: address } = await reader.contractFacts()
      const parties = [account, contract]
      const [allowed] = await readContract(request, address, token, 'allowance', parties)
      return allowed as bigint
    },
    payoutCredit: (account) => reader.payoutCredit(account),
    etherBalance: async (account) =>
      readQuantity(await request('eth_getBalance', [account, 'latest'])),
    channelInfo: ({ sender, receiver, openBlock }) =>
      reader.channelInfo([sender, receiver, openBlock]),
    events: (query) => readEvents({ request, contract, channels, blocks }, query),
    calls: channelCalls(contract, channels, token),
    contractBlock: blocks.of,
    decodeLogs: (logs, contractBlock) =>
      decodeChannelLogs(
        contract,
        channels,
        logs.map((log) => ({ log, contractBlock })),
      ),
    revertReason: (data) => revertReason([channels, token], data),
    close,
  }
}

function revertReason(known: readonly Interface[], data: string): string | undefined {
  for (const contract of known) {
    try {
      const error = contract.parseError(data)
      // require(…, 'text') of contracts that have no custom errors.
      if (error) return error.name === 'Error' ? String(error.args[0]) : error.name
    } catch {
      // Not an error of this contract.
    }
  }
  return undefined
}

/** What a contract does not have has this value; a node that is away says nothing of it. */
function unlessReverted<Value>(value: Value): (error: unknown) => Value {
  return (error) => {
    if (isUraidenError(error, 'rpc_error') && isRevert(error.cause as NodeError)) return value
    throw error
  }
}

function contractReader(
  request: Request,
  contract: Address,
  { channels, blocks }: { readonly channels: Interface; readonly blocks: ContractBlocks },
) {
  let facts: Promise<ContractFacts> | undefined
  const read = (name: string, args: readonly unknown[] = []) =>
    readContract(request, contract, channels, name, args)
  const readFacts = async (): Promise<ContractFacts> => {
    const code = await request('eth_getCode', [contract, 'latest'])
    if (code === '0x') {
      throw platformError({
        code: 'contract_missing',
        message: `There is no contract at ${contract} on this chain.`,
      })
    }
    const [[version], [token], [challengePeriod], [mostDeposit]] = await Promise.all([
      read('version'),
      read('token'),
      read('challenge_period'),
      // Not every contract of version 0.2 tells it.
      read('channel_deposit_bugbounty_limit').catch(unlessReverted([maxTokenAmount])),
    ])
    // The calls of all known versions have the same form.
    contractAbilities(String(version), contract)
    await blocks.clock()
    return {
      version: String(version),
      token: parseAddress(String(token)),
      challengePeriod: Number(challengePeriod),
      mostDeposit: mostDeposit as bigint,
    }
  }
  return {
    /** Asked once: none of it ever changes. */
    contractFacts: (): Promise<ContractFacts> => {
      facts ??= readFacts().catch((error) => {
        facts = undefined
        throw error
      })
      return facts
    },
    /** Contracts of version 0.2 keep none. */
    payoutCredit: async (account: Address): Promise<bigint> => {
      const [kept] = await read('credits', [account]).catch(unlessReverted([0n]))
      return kept as bigint
    },
    channelInfo: async (args: readonly unknown[]): Promise<ChannelInfo | undefined> => {
      try {
        const [, deposit, settleBlock, closingBalance, withdrawn] = await read(
          'getChannelInfo',
          args,
        )
        return {
          deposit: deposit as bigint,
          settleBlock: Number(settleBlock),
          closingBalance: closingBalance as bigint,
          withdrawn: withdrawn as bigint,
        }
      } catch (error) {
        // Both versions revert for a channel that does not exist, and for no other reason.
        if (isUraidenError(error, 'rpc_error') && isRevert(error.cause as NodeError))
          return undefined
        throw error
      }
    },
  }
}

async function readContract(
  request: Request,
  to: Address,
  contract: Interface,
  name: string,
  args: readonly unknown[],
): Promise<readonly unknown[]> {
  const data = contract.encodeFunctionData(name, args)
  const answer = await request('eth_call', [{ to, data }, 'latest'])
  return decoded(name, () => contract.decodeFunctionResult(name, String(answer)).toArray())
}

interface EventSource {
  readonly request: Request
  readonly contract: Address
  readonly channels: Interface
  readonly blocks: ContractBlocks
}

async function readEvents(
  { request, contract, channels, blocks }: EventSource,
  { from, to, sender, receiver }: EventQuery,
) {
  const topics = channelEvents.map((name) => channels.getEvent(name)?.topicHash)
  const parties = [sender ? topic(sender) : null, receiver ? topic(receiver) : null]
  const logs = await readInPieces(from, to, async (first, last) => {
    const range = { fromBlock: toQuantity(first), toBlock: toQuantity(last) }
    const found = await request('eth_getLogs', [
      { address: contract, ...range, topics: [topics, ...parties] },
    ])
    return readLogs(found)
  })
  const placed: PlacedLog[] = []
  for (const log of logs) placed.push({ log, contractBlock: await blocks.of(log) })
  return decoded('events', () => decodeChannelLogs(contract, channels, placed))
}

function topic(address: Address): Hex {
  return `0x${address.slice(2).toLowerCase().padStart(64, '0')}`
}
