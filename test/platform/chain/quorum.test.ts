// Several nodes that do not say the same.
import test from 'ava'
import { quorumOf } from '../../../platform/chain/quorum.ts'
import type { Request } from '../../../platform/chain/request.ts'
import { connectRpc } from '../../../platform/chain/rpc.ts'
import { UraidenError } from '../../../protocol/index.ts'

const says =
  (answer: unknown): Request =>
  async () =>
    answer
const fails =
  (code: string): Request =>
  async () => {
    throw new UraidenError({ code, message: code, hint: '' })
  }
const away = fails('chain_unavailable')
const refuses = fails('rpc_error')
const log = { address: '0xAB', topics: ['0x1'], data: '0x', blockNumber: '0x5', logIndex: '0x0' }
const block = (number: number, hash = '0xaa') => ({ number: `0x${number.toString(16)}`, hash })

test('a fact counts when as many nodes agree, also when others are away or lie', async (t) => {
  const cases: readonly (readonly [readonly Request[], number, unknown])[] = [
    [[says('0x1'), says('0x1')], 2, '0x1'],
    [[says('0x2'), says('0x1'), says('0x1')], 2, '0x1'],
    [[away, says('0x1'), says('0x1')], 2, '0x1'],
    [[says('0xAB'), says('0xab')], 2, '0xAB'],
    [[refuses, says('0x1'), says('0x1')], 2, '0x1'],
  ]
  for (const [nodes, quorum, expected] of cases) {
    t.is(await quorumOf(nodes, quorum)('eth_call', []), expected)
  }
})

test('a fact that too few agree on is not believed', async (t) => {
  const cases: readonly (readonly [readonly Request[], string])[] = [
    [[says('0x1'), says('0x2')], 'nodes_disagree'],
    [[says('0x1'), says('0x2'), says('0x3')], 'nodes_disagree'],
    [[says('0x1'), away], 'chain_unavailable'],
    [[away, away], 'chain_unavailable'],
    [[says('0x1'), fails('wrong_chain')], 'wrong_chain'],
  ]
  for (const [nodes, code] of cases) {
    await t.throwsAsync(quorumOf(nodes, 2)('eth_call', []), { code })
  }
})

test('one node alone cannot say that a call fails: a channel would seem to be gone', async (t) => {
  await t.throwsAsync(quorumOf([refuses, says('0x1'), away], 2)('eth_call', []), {
    code: 'chain_unavailable',
  })
  await t.throwsAsync(quorumOf([refuses, refuses, says('0x1')], 2)('eth_call', []), {
    code: 'rpc_error',
  })
})

test('an event that one node leaves out or makes up is neither lost nor believed', async (t) => {
  const all = says([log])
  const cases: readonly (readonly [readonly Request[], unknown])[] = [
    [[says([]), all, all], [log]],
    [[says([log, log]), all, all], [log]],
    [[says([{ ...log, data: '0x01' }]), all, all], [log]],
    [[says([{ ...log, blockTimestamp: '0x1' }]), all], [{ ...log, blockTimestamp: '0x1' }]],
  ]
  for (const [nodes, expected] of cases) {
    t.deepEqual(await quorumOf(nodes, 2)('eth_getLogs', []), expected)
  }
})

test('a range that one node finds too large is asked for in pieces', async (t) => {
  await t.throwsAsync(quorumOf([refuses, says([log])], 2)('eth_getLogs', []), { code: 'rpc_error' })
})

test('the head is the highest block that enough nodes have', async (t) => {
  const nodes = [says(block(7)), says(block(9)), says(block(8)), away]
  for (const [quorum, number] of [
    [1, 9],
    [2, 8],
    [3, 7],
  ] as const) {
    const head = await quorumOf(nodes, quorum)('eth_getBlockByNumber', ['latest', false])
    t.is(Number((head as { readonly number: string }).number), number)
  }
  await t.throwsAsync(quorumOf(nodes, 4)('eth_getBlockByNumber', ['latest', false]), {
    code: 'chain_unavailable',
  })
})

test('a block of another branch is no block that nodes agree on', async (t) => {
  const nodes = [says(block(5, '0xaa')), says(block(5, '0xbb'))]
  await t.throwsAsync(quorumOf(nodes, 2)('eth_getBlockByNumber', ['0x5', false]), {
    code: 'nodes_disagree',
  })
})

test('a quorum of more nodes than there are is refused before any is asked', async (t) => {
  const urls = ['http://127.0.0.1:9', 'http://127.0.0.1:9']
  await t.throwsAsync(connectRpc({ urls, timeout: 100, quorum: 3 }), { code: 'quorum_too_large' })
})
