// One JSON-RPC connection to a node (geth or any other), bound to one channels contract.
import type { Interface, JsonRpcProvider } from 'ethers'
import { channelsAbi } from '../../contracts/abi/channels.ts'
import { tokenAbi } from '../../contracts/abi/token.ts'
import {
  type Address,
  type BlockNumber,
  type Hex,
  isUraidenError,
  parseAddress,
  UraidenError,
} from '../../protocol/index.ts'
import { channelCalls } from './calls.ts'
import { decodeChannelLogs } from './events.ts'
import type {
  BlockRef,
  ChainClient,
  ChannelInfo,
  ContractFacts,
  EventQuery,
  RawLog,
  TokenFacts,
} from './types.ts'

export interface ChainOptions {
  readonly rpcUrl: string
  readonly contract: Address
  /** Refuse a node of another chain. */
  readonly chainId?: bigint
  /** Longest wait for one answer of the node, in milliseconds. */
  readonly timeout?: number
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
 * @throws UraidenError `chain_unavailable`, `wrong_chain`
 */
export async function connectChain(options: ChainOptions): Promise<ChainClient> {
  const { contract, rpcUrl, timeout = 10_000 } = options
  const { FetchRequest, Interface, JsonRpcProvider, Network } = await import('ethers')
  const requests = new FetchRequest(rpcUrl)
  requests.timeout = timeout
  // A node that is away is tried again by those who know how urgent it is, not here.
  requests.setThrottleParams({ maxAttempts: 1 })
  const anyNetwork = Network.from(1)
  const provider = new JsonRpcProvider(requests, anyNetwork, {
    staticNetwork: anyNetwork,
    batchMaxCount: 1,
    cacheTimeout: -1,
  })
  const request = (method: string, params: readonly unknown[]): Promise<unknown> =>
    askNode(provider, rpcUrl, method, params)
  const chainId = BigInt(String(await request('eth_chainId', [])))
  if (options.chainId !== undefined && options.chainId !== chainId) {
    provider.destroy()
    throw new UraidenError({
      code: 'wrong_chain',
      message: `The node at ${rpcUrl} is on chain ${chainId}, not ${options.chainId}.`,
      hint: 'Set rpc to a node of the right chain.',
    })
  }
  const channels = new Interface(channelsAbi)
  const token = new Interface(tokenAbi)
  const reader = contractReader(request, contract, channels)
  return {
    chainId,
    contract,
    request,
    head: async () => blockRef(await request('eth_getBlockByNumber', ['latest', false])),
    block: async (number) => {
      const block = await request('eth_getBlockByNumber', [quantity(number), false])
      return block === null ? undefined : blockRef(block)
    },
    contractFacts: () => reader.contractFacts(),
    tokenFacts: async () => tokenFacts(request, (await reader.contractFacts()).token, token),
    tokenBalance: async (account) => {
      const { token: address } = await reader.contractFacts()
      const [balance] = await readContract(request, address, token, 'balanceOf', [account])
      return balance as bigint
    },
    etherBalance: async (account) =>
      BigInt(String(await request('eth_getBalance', [account, 'latest']))),
    channelInfo: ({ sender, receiver, openBlock }) =>
      reader.channelInfo([sender, receiver, openBlock]),
    events: (query) => readEvents(request, contract, channels, query),
    calls: channelCalls(contract, channels, token),
    decodeLogs: (logs) => decodeChannelLogs(contract, channels, logs),
    revertReason: (data) => {
      try {
        return channels.parseError(data)?.name
      } catch {
        return undefined
      }
    },
    close: () => provider.destroy(),
  }
}

type Request = ChainClient['request']

/** @throws UraidenError `chain_unavailable`, `rpc_error` (with the node's error as cause) */
async function askNode(
  provider: JsonRpcProvider,
  rpcUrl: string,
  method: string,
  params: readonly unknown[],
): Promise<unknown> {
  try {
    return await provider.send(method, [...params])
  } catch (error) {
    const answered = nodeError(error)
    if (answered !== undefined) {
      throw new UraidenError({
        code: 'rpc_error',
        message: `The node refused ${method}: ${answered.message}`,
        hint: 'The reason is the node’s own.',
        cause: answered,
      })
    }
    throw new UraidenError({
      code: 'chain_unavailable',
      message: `The Ethereum node at ${rpcUrl} does not answer ${method}.`,
      hint: 'Check that it runs and that the rpc address is right.',
      cause: error,
    })
  }
}

/** The JSON-RPC error object inside an ethers error: the node answered, and said no. */
export interface NodeError {
  readonly message: string
  readonly code?: number
  readonly data?: unknown
}

function nodeError(error: unknown): NodeError | undefined {
  if (typeof error !== 'object' || error === null) return undefined
  const { error: direct, info } = error as {
    readonly error?: unknown
    readonly info?: { readonly error?: unknown }
  }
  const inner = direct ?? info?.error
  if (typeof inner !== 'object' || inner === null) return undefined
  return typeof (inner as NodeError).message === 'string' ? (inner as NodeError) : undefined
}

function contractReader(request: Request, contract: Address, channels: Interface) {
  let facts: Promise<ContractFacts> | undefined
  const read = (name: string, args: readonly unknown[] = []) =>
    readContract(request, contract, channels, name, args)
  const readFacts = async (): Promise<ContractFacts> => {
    const code = await request('eth_getCode', [contract, 'latest'])
    if (code === '0x') {
      throw new UraidenError({
        code: 'contract_missing',
        message: `There is no contract at ${contract} on this chain.`,
        hint: 'Check the contract address, and that the node is on the right chain and synchronised.',
      })
    }
    const [[version], [token], [challengePeriod]] = await Promise.all([
      read('version'),
      read('token'),
      read('challenge_period'),
    ])
    return {
      version: String(version),
      token: parseAddress(String(token)),
      challengePeriod: Number(challengePeriod),
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
        if (isUraidenError(error, 'rpc_error')) return undefined
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
  return contract.decodeFunctionResult(name, String(answer)).toArray()
}

async function tokenFacts(
  request: Request,
  address: Address,
  token: Interface,
): Promise<TokenFacts> {
  const [[symbol], [decimals], [name]] = await Promise.all([
    readContract(request, address, token, 'symbol', []),
    readContract(request, address, token, 'decimals', []),
    readContract(request, address, token, 'name', []),
  ])
  return { address, symbol: String(symbol), decimals: Number(decimals), name: String(name) }
}

async function readEvents(
  request: Request,
  contract: Address,
  channels: Interface,
  { from, to, sender, receiver }: EventQuery,
) {
  const topics = channelEvents.map((name) => channels.getEvent(name)?.topicHash)
  const logs = await request('eth_getLogs', [
    {
      address: contract,
      fromBlock: quantity(from),
      toBlock: quantity(to),
      topics: [topics, sender ? topic(sender) : null, receiver ? topic(receiver) : null],
    },
  ])
  return decodeChannelLogs(contract, channels, logs as readonly RawLog[])
}

function topic(address: Address): Hex {
  return `0x${address.slice(2).toLowerCase().padStart(64, '0')}`
}

function quantity(number: BlockNumber): Hex {
  return `0x${number.toString(16)}`
}

function blockRef(block: unknown): BlockRef {
  const { number, hash, parentHash, timestamp } = block as {
    readonly [field: string]: string
  }
  return {
    number: Number(number),
    hash: hash as Hex,
    parentHash: parentHash as Hex,
    timestamp: Number(timestamp),
  }
}
