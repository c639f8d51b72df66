// A chain of the kind of Arbitrum: contracts see the block numbers of the chain below, its blocks and receipts carry
// numbers of their own and `l1BlockNumber` beside them. It is an embedded chain behind a layer that renumbers: each
// of its blocks is a block of the chain below, to which several blocks of this chain belong.

import { once } from 'node:events'
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  type EmbeddedChain,
  type EmbeddedChainOptions,
  startEmbeddedChain,
} from './embedded-chain.ts'

export interface ParentClockOptions extends EmbeddedChainOptions {
  /** Of this chain to one of the chain below. */
  readonly blocksEach?: number
  /** What this chain counted when the chain below counted 0. */
  readonly ahead?: number
  /** Says another number than contracts see: nobody can understand such a chain. */
  readonly wrongBy?: number
}

export interface ParentClockChain extends EmbeddedChain {
  /** The number that this chain gives to the block with the transactions of a block below. */
  readonly own: (below: number) => number
}

type Fields = Record<string, unknown>

interface Call {
  readonly id: unknown
  readonly method: string
  readonly params: readonly unknown[]
}

/** `mine`, `provider` and `snapshot` are those of the chain below. */
export async function startParentClockChain({
  blocksEach = 4,
  ahead = 1000,
  wrongBy = 0,
  ...options
}: ParentClockOptions = {}): Promise<ParentClockChain> {
  const chain = await startEmbeddedChain(options)
  const clock = { own: (below: number) => ahead + below * blocksEach, blocksEach, ahead, wrongBy }
  const layer = renumbered((method, params) => ask(chain.rpcUrl, { method, params }), clock)
  const server = createServer((request, response) => void answer(layer, request, response))
  server.keepAliveTimeout = 0
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    ...chain,
    rpcUrl: `http://127.0.0.1:${port}`,
    own: clock.own,
    close: async () => {
      server.closeAllConnections()
      server.close()
      await chain.close()
    },
  }
}

type Ask = (method: string, params: readonly unknown[]) => Promise<Fields>

interface Clock {
  readonly own: (below: number) => number
  readonly blocksEach: number
  readonly ahead: number
  readonly wrongBy: number
}

/** Where a method names a block, and where it looks at the state. */
const blockParameter: Readonly<Record<string, number>> = {
  eth_getBlockTransactionCountByNumber: 0,
  eth_call: 1,
  eth_getCode: 1,
  eth_getBalance: 1,
  eth_getTransactionCount: 1,
  eth_feeHistory: 1,
}

interface Views {
  /** The block below. */
  readonly below: (number: number) => number
  /** Of a transaction or a log. */
  readonly place: (fields: Fields) => Fields
  readonly receipt: (fields: Fields) => Fields
  /** A block below as the block of this number. */
  readonly block: (fields: Fields, number: number) => Fields
}

/** Of the blocks to one below, the first has its transactions; the others are empty. */
function viewsBy({ own, blocksEach, ahead, wrongBy }: Clock): Views {
  const below = (number: number) => Math.max(Math.floor((number - ahead) / blocksEach), 0)
  const place = ({ blockNumber, ...fields }: Fields): Fields => ({
    ...fields,
    blockNumber: blockNumber == null ? null : quantity(own(Number(blockNumber))),
  })
  return {
    below,
    place,
    receipt: (fields) => ({
      ...place(fields),
      l1BlockNumber: quantity(Number(fields.blockNumber) + wrongBy),
      logs: (fields.logs as readonly Fields[]).map(place),
    }),
    block: ({ hash, parentHash, transactions, ...fields }, number) => {
      const offset = number < ahead ? number : (number - ahead) % blocksEach
      return {
        ...fields,
        number: quantity(number),
        l1BlockNumber: quantity(below(number) + wrongBy),
        hash: hashIn(String(hash), offset),
        parentHash:
          offset === 0
            ? hashIn(String(parentHash), blocksEach - 1)
            : hashIn(String(hash), offset - 1),
        transactions: offset === 0 ? transactions : [],
      }
    },
  }
}

function renumbered(ask: Ask, clock: Clock): Ask {
  const { own, blocksEach } = clock
  const views = viewsBy(clock)
  const special: Readonly<Record<string, (params: readonly unknown[]) => Promise<Fields>>> = {
    eth_getBlockByNumber: async ([name, ...rest]) => {
      const number = String(name).startsWith('0x') ? Number(name) : undefined
      const asked = number === undefined ? name : quantity(views.below(number))
      return changed(await ask('eth_getBlockByNumber', [asked, ...rest]), (found) =>
        views.block(found, number ?? own(Number(found.number)) + blocksEach - 1),
      )
    },
    // Only blocks with logs are asked for by their hash.
    eth_getBlockByHash: async (params) =>
      changed(await ask('eth_getBlockByHash', params), (found) =>
        views.block(found, own(Number(found.number))),
      ),
    eth_getLogs: async ([filter]) => {
      const { fromBlock, toBlock, blockHash, ...rest } = filter as Fields
      const from = views.below(Number(fromBlock) + blocksEach - 1)
      const to = views.below(Number(toBlock))
      const isEmpty = blockHash === undefined ? from > to : isEmptyBlock(`${blockHash}`)
      if (isEmpty) return { result: [] }
      const range = { fromBlock: quantity(from), toBlock: quantity(to) }
      const where = blockHash === undefined ? range : { blockHash }
      const answer = await ask('eth_getLogs', [{ ...rest, ...where }])
      const found = answer.result as readonly Fields[] | undefined
      return found === undefined ? answer : { ...answer, result: found.map(views.place) }
    },
    // As nodes of this kind run what is not sent yet: in the newest block, not in the one to come.
    eth_estimateGas: async (params) => {
      const tried = await ask('eth_call', [params[0], 'latest'])
      return tried.error === undefined ? ask('eth_estimateGas', [params[0]]) : tried
    },
    eth_blockNumber: async () => {
      const { result } = await ask('eth_blockNumber', [])
      return { result: quantity(own(Number(result)) + blocksEach - 1) }
    },
    eth_getTransactionReceipt: async (params) =>
      changed(await ask('eth_getTransactionReceipt', params), views.receipt),
    eth_getTransactionByHash: async (params) =>
      changed(await ask('eth_getTransactionByHash', params), views.place),
  }
  return async (method, params) => {
    const at = blockParameter[method]
    const isNumber = (each: unknown, index: number) =>
      index === at && typeof each === 'string' && each.startsWith('0x')
    return (
      special[method]?.(params) ??
      ask(
        method,
        params.map((each, index) =>
          isNumber(each, index) ? quantity(views.below(Number(each))) : each,
        ),
      )
    )
  }
}

function changed(answer: Fields, change: (found: Fields) => Fields): Fields {
  const { result } = answer
  return result == null ? answer : { ...answer, result: change(result as Fields) }
}

/** The first of the blocks has the hash of the one below; the others show their place in it. */
const emptyMark = 'e0e0'

function hashIn(base: string, offset: number): string {
  if (offset === 0) return base
  return `0x${emptyMark}${offset.toString(16).padStart(4, '0')}${base.slice(10)}`
}

function isEmptyBlock(hash: string): boolean {
  return hash.startsWith(`0x${emptyMark}`)
}

function quantity(value: number): string {
  return `0x${value.toString(16)}`
}

async function answer(
  layer: Ask,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  const call = JSON.parse(Buffer.concat(chunks).toString()) as Call
  const said = await layer(call.method, call.params ?? []).catch(() => undefined)
  if (said === undefined) return void response.destroy()
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify({ ...said, jsonrpc: '2.0', id: call.id }))
}

/** Over a connection of its own: one that was kept may be closed by the node just now. */
async function ask(node: string, call: Omit<Call, 'id'>): Promise<Fields> {
  const headers = { 'content-type': 'application/json' }
  const request = httpRequest(node, { method: 'POST', headers, agent: false })
  request.end(JSON.stringify({ ...call, jsonrpc: '2.0', id: 1 }))
  const [incoming] = (await once(request, 'response')) as [IncomingMessage]
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk)
  return JSON.parse(Buffer.concat(chunks).toString())
}
