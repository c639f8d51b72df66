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
}

function client(node: Node): ChainClient {
  const { info = false, head = 200, block = true, logs = ['created'], refuses } = node
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
    head: async () => ({ number: head }),
    block: async () => (block ? { number: 100, hash: '0x1' } : undefined),
    request: async (method: string) => {
      refuse(method)
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

test('a node that is away says nothing', async (t) => {
  const away = client({ refuses: 'events', code: 'chain_unavailable' })
  await t.throwsAsync(isChannelOver(away, channel), { code: 'chain_unavailable' })
})
