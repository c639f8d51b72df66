// A node whose chain is made up: it has opened as many channels as it is told to, and takes the receiver's batches at
// their word. Nothing is checked and nothing is computed, so that what is measured is the receiver.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Interface, Transaction } from 'ethers'
import { channelsAbi } from '../../../contracts/abi/channels.ts'
import { tokenAbi } from '../../../contracts/abi/token.ts'
import type { RawLog } from '../../../platform/chain/types.ts'
import { type Address, parseAddress, toQuantity } from '../../../protocol/index.ts'

export interface MadeUpChain {
  readonly rpcUrl: string
  /** Opens the next channels, in new blocks. */
  readonly open: (channels: number) => void
  /** That were sent to it, and what they have taken out of channels. */
  readonly taken: () => { readonly transactions: number; readonly channels: number }
  readonly close: () => Promise<void>
}

export interface MadeUpOptions {
  readonly receiver: Address
  /** Of the channel of this number. */
  readonly sender: (channel: number) => Address
  /** The channel on which a proof was signed, by its signature's r. */
  readonly proved: (r: string) => number
  readonly deposit: bigint
}

export const madeUp = {
  chainId: 31337n,
  contract: parseAddress(`0x${'c0'.repeat(20)}`),
} as const

const token = parseAddress(`0x${'70'.repeat(20)}`)
const channelsEach = 10

/** The block in which the channel of this number is opened. */
export function openBlockOf(channel: number): number {
  return 1 + Math.floor(channel / channelsEach)
}

/** As providers have it. */
const mostLogs = 10_000

interface Receipt {
  readonly block: number
  readonly gasUsed: bigint
  readonly logs: readonly RawLog[]
}

interface State extends MadeUpOptions {
  head: number
  opened: number
  /** By their hashes. */
  readonly receipts: Map<string, Receipt>
  /** Logs of transactions, by their blocks. */
  readonly logs: Map<number, readonly RawLog[]>
  /** Out of each channel. */
  readonly withdrawn: Map<number, bigint>
}

const contracts = [new Interface(channelsAbi), new Interface(tokenAbi)] as const
const [channelsContract] = contracts

export async function startMadeUpChain(options: MadeUpOptions): Promise<MadeUpChain> {
  const state: State = {
    ...{ ...options, head: 0, opened: 0 },
    ...{ receipts: new Map(), logs: new Map(), withdrawn: new Map() },
  }
  const server = createServer((request, response) => void answer(state, request, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    rpcUrl: `http://127.0.0.1:${port}`,
    open: (channels) => {
      if (openBlockOf(state.opened) <= state.head) throw new Error('its block is over')
      state.opened += channels
      state.head = openBlockOf(state.opened - 1)
    },
    taken: () => ({ transactions: state.receipts.size, channels: state.withdrawn.size }),
    close: async () => {
      server.close()
      server.closeAllConnections()
    },
  }
}

async function answer(
  state: State,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  const { id, method, params = [] } = JSON.parse(Buffer.concat(chunks).toString())
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify({ jsonrpc: '2.0', id, ...said(state, method, params) }))
}

function said(state: State, method: string, params: readonly unknown[]): object {
  const answered = methods[method]
  if (answered === undefined) return { error: { code: -32601, message: `no method ${method}` } }
  try {
    return { result: answered(state, params) }
  } catch (error) {
    return { error: { code: -32000, message: String(error) } }
  }
}

type Method = (state: State, params: readonly unknown[]) => unknown

const gwei = toQuantity(10n ** 9n)

const methods: Readonly<Record<string, Method>> = {
  eth_chainId: () => toQuantity(madeUp.chainId),
  eth_blockNumber: ({ head }) => toQuantity(head),
  eth_getBlockByNumber: blockOf,
  eth_getCode: () => '0x01',
  eth_call: called,
  eth_getBalance: () => toQuantity(10n ** 24n),
  eth_gasPrice: () => gwei,
  eth_maxPriorityFeePerGas: () => gwei,
  eth_getLogs: logsOf,
  eth_getTransactionCount: ({ receipts }) => toQuantity(receipts.size),
  eth_estimateGas: (_, [call]) => toQuantity(gasOf((call as { readonly data: string }).data)),
  eth_sendRawTransaction: take,
  eth_getTransactionByHash: ({ receipts }, [hash]) => {
    const receipt = receipts.get(String(hash))
    return receipt === undefined ? null : { hash, blockNumber: toQuantity(receipt.block) }
  },
  eth_getTransactionReceipt: receiptOf,
}

function blockOf({ head }: State, [name]: readonly unknown[]): object | null {
  const number = String(name).startsWith('0x') ? Number(name) : head
  if (number > head) return null
  return {
    number: toQuantity(number),
    hash: hashOf(number),
    parentHash: hashOf(number - 1),
    timestamp: toQuantity(1_700_000_000 + 12 * number),
    baseFeePerGas: gwei,
  }
}

function hashOf(block: number): string {
  return `0x${word(BigInt(block + 1))}`
}

/** What the contracts say of themselves. A call without an address asks for the number of the block. */
function called({ head }: State, [call]: readonly unknown[]): string {
  const { to, data } = call as { readonly to?: string; readonly data: string }
  if (to === undefined) return toQuantity(head)
  for (const contract of contracts) {
    const name = contract.parseTransaction({ data })?.name
    const value = name && facts[name]
    if (name && value !== undefined) return contract.encodeFunctionResult(name, [value])
  }
  throw new RangeError(`nothing is known of ${data}`)
}

const facts: Readonly<Record<string, unknown>> = {
  version: '0.4.0',
  token,
  challenge_period: 500,
  channel_deposit_bugbounty_limit: 2n ** 72n,
  credits: 0n,
  balanceOf: 0n,
  name: 'Token',
  symbol: 'TKN',
  decimals: 18,
}

function logsOf(state: State, [filter]: readonly unknown[]): readonly RawLog[] {
  const { fromBlock, toBlock } = filter as { readonly fromBlock: string; readonly toBlock: string }
  const [from, to] = [Number(fromBlock), Math.min(Number(toBlock), state.head)]
  const first = Math.max(from - 1, 0) * channelsEach
  const last = Math.min(to * channelsEach, state.opened)
  const found: RawLog[] = []
  for (let channel = first; channel < last; channel++) found.push(openingOf(state, channel))
  for (let block = from; block <= to; block++) found.push(...(state.logs.get(block) ?? []))
  if (found.length > mostLogs) throw new RangeError('query returned more than 10000 results')
  return found
}

function openingOf({ sender, receiver, deposit }: State, channel: number): RawLog {
  return logOf('ChannelCreated', {
    topics: [sender(channel), receiver],
    data: deposit,
    ...{ block: openBlockOf(channel), logIndex: channel % channelsEach },
  })
}

const topicOf = (name: string) => channelsContract.getEvent(name)?.topicHash ?? ''
const topicHashes = {
  ChannelCreated: topicOf('ChannelCreated'),
  ChannelWithdraw: topicOf('ChannelWithdraw'),
}

function logOf(
  name: keyof typeof topicHashes,
  {
    topics,
    data,
    block,
    logIndex,
  }: {
    readonly topics: readonly (string | bigint)[]
    readonly data: bigint
    readonly block: number
    readonly logIndex: number
  },
): RawLog {
  return {
    address: madeUp.contract,
    topics: [topicHashes[name], ...topics.map((topic) => `0x${word(BigInt(topic))}`)],
    data: `0x${word(data)}`,
    blockNumber: toQuantity(block),
    blockHash: hashOf(block),
    transactionHash: hashOf(block),
    logIndex: toQuantity(logIndex),
  }
}

function word(value: bigint): string {
  return value.toString(16).padStart(64, '0')
}

/** docs/reference/gas.md: of a batch, and of each channel in it. */
function gasOf(data: string): bigint {
  const items = (data.length / 2 - 1 - 4 - 64) / 128
  return 40_000n + 13_500n * BigInt(Math.max(Math.floor(items), 1))
}

/** A block of its own, with a withdrawal from each channel that it names. */
function take(state: State, [raw]: readonly unknown[]): string {
  const { hash, data } = Transaction.from(String(raw))
  const [items] = channelsContract.decodeFunctionData('withdrawBatch', data)
  const block = state.head + 1
  const logs = [...items].map(
    ([openBlock, balance, r]: readonly [bigint, bigint, string], logIndex) =>
      withdrawal(state, { openBlock: Number(openBlock), balance, r }, { block, logIndex }),
  )
  state.head = block
  state.logs.set(block, logs)
  state.receipts.set(String(hash), { block, gasUsed: gasOf(data), logs })
  return String(hash)
}

interface Item {
  readonly openBlock: number
  readonly balance: bigint
  readonly r: string
}

function withdrawal(
  { sender, receiver, proved, withdrawn }: State,
  { openBlock, balance, r }: Item,
  place: { readonly block: number; readonly logIndex: number },
): RawLog {
  const channel = proved(r)
  const amount = balance - (withdrawn.get(channel) ?? 0n)
  withdrawn.set(channel, balance)
  const topics = [sender(channel), receiver, BigInt(openBlock)]
  return logOf('ChannelWithdraw', { topics, data: amount, ...place })
}

function receiptOf({ receipts }: State, [hash]: readonly unknown[]): object | null {
  const receipt = receipts.get(String(hash))
  if (receipt === undefined) return null
  const { block, gasUsed, logs } = receipt
  return {
    transactionHash: hash,
    blockNumber: toQuantity(block),
    blockHash: hashOf(block),
    gasUsed: toQuantity(gasUsed),
    effectiveGasPrice: gwei,
    status: '0x1',
    logs,
  }
}
