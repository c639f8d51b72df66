// Where the search for own channels begins.
import test from 'ava'
import { getCreateAddress } from 'ethers'
import { firstBlock } from '../../../agent/channels/search.ts'
import type { ChainClient } from '../../../platform/chain/index.ts'
import { parseAddress, UraidenError } from '../../../protocol/index.ts'

const deployer = `0x${'12'.repeat(20)}`
const contract = parseAddress(getCreateAddress({ from: deployer, nonce: 0 }))

interface Node {
  readonly head: number
  /** The first block with the contract. */
  readonly deployed: number
  /** State of older blocks is refused. */
  readonly keeps?: number
  /** It says instead that there was no code. */
  readonly liesOfOld?: boolean
}

function client({ head, deployed, keeps = head, liesOfOld = false }: Node) {
  const asked: number[] = []
  const request = async (method: string, params: readonly unknown[]) => {
    const number = Number(params.at(-1))
    if (method === 'eth_getBlockByNumber') {
      const named = Number(params[0]) === deployed ? 0 : 1
      return {
        transactions: [{ hash: `0x${'1'.repeat(64)}`, from: deployer, nonce: `0x${named}` }],
      }
    }
    if (method !== 'eth_getCode') throw new Error(method)
    asked.push(number)
    if (number < head - keeps) {
      if (liesOfOld) return '0x'
      throw new UraidenError({ code: 'rpc_error', message: 'missing trie node', hint: '' })
    }
    return number >= deployed ? '0x60' : '0x'
  }
  const chain = { request, head: async () => ({ number: head }), contract }
  return { chain: chain as unknown as ChainClient, asked }
}

const noArchive = { head: 20_000_000, deployed: 5_000_000, keeps: 128 }

for (const [title, node, expected] of [
  ['a contract in the middle', { head: 20_000_000, deployed: 4_958_602 }, 4_958_602],
  ['a contract in the first block', { head: 20_000_000, deployed: 0 }, 0],
  ['a contract in the newest block', { head: 20_000_000, deployed: 20_000_000 }, 20_000_000],
  ['a short chain', { head: 50_000, deployed: 40_000 }, 0],
  ['one block more', { head: 50_001, deployed: 40_000 }, 40_000],
  ['no archive', noArchive, 18_000_000],
  ['no code said of old blocks', { ...noArchive, liesOfOld: true }, 18_000_000],
  ['no archive, a young chain', { head: 1_000_000, deployed: 5000, keeps: 128 }, 0],
] as readonly (readonly [string, Node, number])[]) {
  test(`own channels are looked for from the contract’s first block: ${title}`, async (t) => {
    const { chain, asked } = client(node)
    t.is(await firstBlock(chain, undefined), expected)
    t.true(asked.length <= 26)
  })
}

test('what is configured needs no question', async (t) => {
  const { chain, asked } = client({ head: 20_000_000, deployed: 5 })
  t.is(await firstBlock(chain, 0), 0)
  t.is(await firstBlock(chain, 17), 17)
  t.deepEqual(asked, [])
})

test('a node that is away is no node without an archive', async (t) => {
  const chain = {
    head: async () => ({ number: 20_000_000 }),
    request: async () => {
      throw new UraidenError({ code: 'chain_unavailable', message: 'away', hint: '' })
    },
  } as unknown as ChainClient
  await t.throwsAsync(firstBlock(chain, undefined), { code: 'chain_unavailable' })
})
