// A channel that one answer of a node does not show is over when the chain tells of its end, and not before.
import test from 'ava'
import { type ChainClient, isChannelOver } from '../../../platform/chain/index.ts'
import { type Address, UraidenError } from '../../../protocol/index.ts'

const sender = '0xA' as Address
const receiver = '0xB' as Address
const channel = { sender, receiver, openBlock: 100 }

/** `settledOther` is of a later channel to the same receiver. */
type Said = 'created' | 'settled' | 'settledOther'

interface Node {
  readonly info?: boolean
  readonly head?: number
  /** The node has the block that opened it. */
  readonly block?: boolean
  readonly logs?: readonly Said[]
  readonly refuses?: 'eth_getLogs' | 'events' | 'channelInfo'
  readonly code?: string
  /** Contracts count with the chain below: four blocks to one, from 2 000 on. */
  readonly isBelow?: boolean
}

function headOf(number: number, isBelow: boolean) {
  const contractBlock = isBelow ? Math.floor((number - 2000) / 4) : number
  return { number, contractBlock, hash: `0x${number}` }
}

function client(node: Node, asked: string[] = []): ChainClient {
  const { info = false, head = 200, block = true, logs = ['created'], refuses } = node
  const { isBelow = false } = node
  const events = (of: readonly Said[]) =>
    of.map((each) => ({
      kind: each === 'created' ? 'created' : 'settled',
      channel: each === 'settledOther' ? { ...channel, openBlock: 150 } : channel,
    }))
  const refuse = (what: string) => {
    if (refuses !== what) return
    throw new UraidenError({ code: node.code ?? 'rpc_error', message: what, hint: '' })
  }
  return {
    channelInfo: async () => {
      refuse('channelInfo')
      return info ? { deposit: 1n } : undefined
    },
    head: async () => headOf(head, isBelow),
    block: async (number: number) => (block ? headOf(number, isBelow) : undefined),
    request: async (method: string, [filter]: readonly [{ readonly blockHash: string }]) => {
      refuse(method)
      asked.push(filter.blockHash)
      return []
    },
    decodeLogs: () => events(logs.filter((each) => each === 'created')),
    events: async () => {
      refuse('events')
      return events(logs)
    },
  } as unknown as ChainClient
}

for (const [title, node, isOver] of [
  ['the contract shows it', { info: true, logs: [] }, false],
  ['it was settled', { logs: ['created', 'settled'] }, true],
  ['its block was replaced by one without it', { logs: [] }, true],
  ['the call lags: the chain tells of no end', { logs: ['created'] }, false],
  [
    'another channel to the same receiver was settled',
    { logs: ['created', 'settledOther'] },
    false,
  ],
  ['the node is behind the opening', { head: 99, block: false, logs: [] }, false],
  ['the head is behind, the block is there', { head: 99, logs: [] }, false],
  ['the block is not there', { block: false, logs: [] }, false],
  ['the logs of the block are refused', { logs: [], refuses: 'eth_getLogs' }, false],
  ['the later logs are refused', { logs: ['created', 'settled'], refuses: 'events' }, false],
  ['the call fails and does not revert', { logs: [], refuses: 'channelInfo' }, false],
] as readonly (readonly [string, Node, boolean])[]) {
  test(`${isOver ? 'over' : 'not over'}: ${title}`, async (t) => {
    t.is(await isChannelOver(client(node), channel), isOver)
  })
}

for (const [title, node, isOver] of [
  ['it was settled', { head: 2800, logs: ['created', 'settled'] }, true],
  ['its blocks were replaced by ones without it', { head: 2800, logs: [] }, true],
  ['its block below may have more blocks', { head: 2403, logs: [] }, false],
  ['its block below has no more', { head: 2404, logs: [] }, true],
  ['a block that must be there is not', { head: 2800, block: false, logs: [] }, false],
] as readonly (readonly [string, Node, boolean])[]) {
  test(`where contracts count with the chain below, ${isOver ? 'over' : 'not over'}: ${title}`, async (t) => {
    const asked: string[] = []
    t.is(await isChannelOver(client({ ...node, isBelow: true }, asked), channel), isOver)
    const own = ['0x2400', '0x2401', '0x2402', '0x2403']
    t.true(asked.every((hash) => own.includes(hash)))
    if (node.logs?.length === 0 && isOver) t.deepEqual(asked, own)
  })
}

test('a node that is away says nothing', async (t) => {
  const away = client({ refuses: 'events', code: 'chain_unavailable' })
  await t.throwsAsync(isChannelOver(away, channel), { code: 'chain_unavailable' })
})
