// What a node says, looked at before anything is made of it; logs of the channels contract as events.

import type { Interface } from 'ethers'
import {
  type Address,
  type ChannelId,
  type ContractBlock,
  type Hex,
  shorten,
  type UraidenError,
} from '../../protocol/index.ts'
import { platformError } from '../errors/index.ts'
import { ifFits, listOf, nullish, object, type Shape, type Shaped, text } from '../shapes/shape.ts'
import { addressOfWord, parseEvent } from './event-words.ts'
import type { ChannelEvent, RawLog } from './types.ts'

const hex = text(/^0x[0-9a-fA-F]*$/)
const hash = text(/^0x[0-9a-fA-F]{64}$/)
const quantity = text(/^0x[0-9a-fA-F]{1,64}$/)
/** Below 2^52, so that it is an exact number. */
const smallQuantity = text(/^0x[0-9a-fA-F]{1,13}$/)

const blockParts = {
  number: smallQuantity,
  hash,
  parentHash: hash,
  timestamp: smallQuantity,
  /** Of Arbitrum and its kind: the block of the chain below. */
  l1BlockNumber: nullish(smallQuantity),
}
const block = object(blockParts)

/** Of which the chain's own number is known; what contracts see there is in block-numbers.ts. */
export type RawBlock = Shaped<typeof block>

const pricedBlock = object({ ...blockParts, baseFeePerGas: nullish(quantity) })

const logs = listOf(
  object({
    address: hex,
    topics: listOf(hash),
    data: hex,
    blockNumber: smallQuantity,
    blockHash: hash,
    transactionHash: hash,
    logIndex: smallQuantity,
  }),
)

const receipt = object({
  transactionHash: hash,
  blockNumber: smallQuantity,
  blockHash: hash,
  l1BlockNumber: nullish(smallQuantity),
  gasUsed: quantity,
  effectiveGasPrice: nullish(quantity),
  /** Of a rollup: what its data costs on the chain below. */
  l1Fee: nullish(quantity),
  status: quantity,
  contractAddress: nullish(hex),
  logs,
})

export type RawReceipt = Omit<Shaped<typeof receipt>, 'logs'> & {
  readonly logs: readonly RawLog[]
}

/** @throws UraidenError `node_wrong` */
export function readBlock(answer: unknown): RawBlock {
  return read('a block', block, answer)
}

/** In wei; undefined on a chain whose blocks have none. @throws UraidenError `node_wrong` */
export function readBaseFee(answer: unknown): bigint | undefined {
  const { baseFeePerGas } = read('a block', pricedBlock, answer)
  return baseFeePerGas == null ? undefined : BigInt(baseFeePerGas)
}

const blockTransactions = object({
  transactions: listOf(object({ hash, from: hex, nonce: smallQuantity })),
})

/** Of a block that was asked for with its transactions. @throws UraidenError `node_wrong` */
export function readBlockTransactions(answer: unknown) {
  return read('a block with transactions', blockTransactions, answer).transactions
}

/** @throws UraidenError `node_wrong` */
export function readLogs(answer: unknown): readonly RawLog[] {
  return read('logs', logs, answer)
}

/** In wei. @throws UraidenError `node_wrong` */
export function readQuantity(answer: unknown): bigint {
  return BigInt(read('a number', quantity, answer))
}

/** Undefined for what is no receipt of this transaction: it is asked for again. */
export function readReceiptOf(transaction: Hex, answer: unknown): RawReceipt | undefined {
  const found = ifFits(receipt, answer)
  return found?.transactionHash.toLowerCase() === transaction.toLowerCase() ? found : undefined
}

/**
 * Runs what makes something of an answer; a library's error becomes one about the node.
 * @throws UraidenError `node_wrong`
 */
export function decoded<Value>(what: string, decode: () => Value): Value {
  try {
    return decode()
  } catch (cause) {
    throw nodeWrong(what, cause instanceof Error ? cause.message : String(cause), cause)
  }
}

function read<Value>(what: string, shape: Shape<Value>, answer: unknown): Value {
  try {
    return shape(answer)
  } catch (cause) {
    throw nodeWrong(what, JSON.stringify(answer) ?? 'nothing', cause)
  }
}

export function nodeWrong(what: string, said: string, cause?: unknown): UraidenError {
  return platformError({
    code: 'node_wrong',
    message: `Asked for ${what}, the node said something else: ${shorten(said, 200)}`,
    cause,
  })
}

/** A log, and what the contract saw as its block. */
export interface PlacedLog {
  readonly log: RawLog
  readonly contractBlock: ContractBlock
}

/** The events of `contract` among the logs, in the logs' order; others are passed over. */
export function decodeChannelLogs(
  contract: Address,
  channels: Interface,
  logs: readonly PlacedLog[],
): readonly ChannelEvent[] {
  return logs.flatMap((placed) => {
    const { log } = placed
    if (log.address.toLowerCase() !== contract.toLowerCase()) return []
    const parsed = parseEvent(channels, log)
    const event = parsed && eventOf(parsed.name, parsed.args, placed)
    return event ? [event] : []
  })
}

function eventOf(
  name: string,
  args: readonly bigint[],
  { log, contractBlock }: PlacedLog,
): ChannelEvent | undefined {
  const place = {
    block: Number(log.blockNumber),
    contractBlock,
    blockHash: log.blockHash as Hex,
    transaction: log.transactionHash as Hex,
    logIndex: Number(log.logIndex),
  }
  const [sender = 0n, receiver = 0n, third = 0n, fourth = 0n, fifth = 0n] = args
  const of = (openBlock: number | bigint): ChannelId => ({
    sender: addressOfWord(sender),
    receiver: addressOfWord(receiver),
    openBlock: Number(openBlock),
  })
  switch (name) {
    case 'ChannelCreated':
      return { ...place, channel: of(contractBlock), kind: 'created', deposit: third }
    case 'ChannelToppedUp':
      return { ...place, channel: of(third), kind: 'toppedUp', added: fourth }
    case 'ChannelCloseRequested':
      return { ...place, channel: of(third), kind: 'closeRequested', balance: fourth }
    case 'ChannelChallenged':
      return { ...place, channel: of(third), kind: 'challenged', balance: fourth }
    case 'ChannelWithdraw':
      return { ...place, channel: of(third), kind: 'withdrawn', amount: fourth }
    case 'ChannelSettled':
      return {
        ...place,
        channel: of(third),
        kind: 'settled',
        balance: fourth,
        receiverTokens: fifth,
      }
    default:
      return undefined
  }
}
