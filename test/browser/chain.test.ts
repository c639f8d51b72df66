// The chain and the token as a wallet shows them.
import test from 'ava'
import { AbiCoder } from 'ethers'
import { chainOf } from '../../browser/chain.ts'
import type { Eip1193Provider } from '../../browser/wallet.ts'
import { type Address, parseAddress } from '../../protocol/index.ts'

const contract: Address = parseAddress(`0x${'33'.repeat(20)}`)
const token: Address = parseAddress(`0x${'44'.repeat(20)}`)
const encode = (type: string, value: unknown) => AbiCoder.defaultAbiCoder().encode([type], [value])
const bytes32 = (text: string) => `0x${Buffer.from(text).toString('hex').padEnd(64, '0')}`
const reverts = Object.assign(new Error('execution reverted'), { code: 3, data: '0x' })

const usual: Readonly<Record<string, unknown>> = {
  '0x54fd4d50': encode('string', '0.3.0'),
  '0xfc0c546a': encode('address', token),
  '0x95d89b41': encode('string', 'TKN'),
  '0x313ce567': encode('uint8', 18),
  '0x06fdde03': encode('string', 'Token'),
}

interface Node {
  readonly calls?: Readonly<Record<string, unknown>>
  readonly block?: object
  readonly seen?: unknown
}

function wallet({ calls = {}, block = { number: '0x5' }, seen = encode('uint256', 5) }: Node) {
  const request = async ({ method, params = [] }: { method: string; params?: unknown }) => {
    if (method === 'eth_getBlockByNumber') return block
    const [{ to, data }] = params as [{ to?: string; data: string }]
    const answer =
      to === undefined ? seen : ({ ...usual, ...calls }[data] ?? encode('uint256', 500))
    if (answer instanceof Error) throw answer
    return answer
  }
  return { request, on: () => undefined } as unknown as Eip1193Provider
}

for (const [title, calls, expected] of [
  ['as usual', {}, { symbol: 'TKN', decimals: 18, name: 'Token' }],
  ['bytes32', { '0x95d89b41': bytes32('MKR'), '0x06fdde03': bytes32('Maker') }, { symbol: 'MKR' }],
  ['no symbol', { '0x95d89b41': reverts }, { symbol: 'tokens' }],
  ['a symbol of nothing', { '0x95d89b41': '0x' }, { symbol: 'tokens' }],
  ['no decimals', { '0x313ce567': reverts }, { decimals: 0 }],
  ['no name', { '0x06fdde03': reverts }, { name: '' }],
  ['what is no symbol', { '0x95d89b41': encode('string', ' units\u200b') }, { symbol: 'tokens' }],
] as const) {
  test(`a token in the browser: ${title}`, async (t) => {
    t.like(await chainOf(wallet({ calls }), contract).tokenInfo(token), expected)
  })
}

for (const [title, node, isRefused] of [
  ['as usual', {}, false],
  ['what no block carries', { seen: encode('uint256', 20_000_000) }, true],
  [
    'Arbitrum',
    { seen: encode('uint256', 20_000_000), block: { number: '0x5', l1BlockNumber: '0x1312d00' } },
    false,
  ],
  [
    'Arbitrum, at a node that runs no code',
    { seen: reverts, block: { number: '0x5', l1BlockNumber: '0x1' } },
    true,
  ],
  ['a node that runs no code', { seen: reverts }, false],
  [
    'a rollup whose contracts see its own blocks',
    { block: { number: '0x5', l1BlockNumber: '0x1312d00' } },
    false,
  ],
  ['16 blocks apart', { seen: encode('uint256', 21) }, false],
  ['17 blocks apart', { seen: encode('uint256', 22) }, true],
] as readonly (readonly [string, Node, boolean])[]) {
  test(`block numbers in contracts, seen by a wallet: ${title}`, async (t) => {
    const facts = chainOf(wallet(node), contract).contractFacts()
    if (isRefused) await t.throwsAsync(facts, { code: 'chain_unsupported' })
    else t.is((await facts).version, '0.3.0')
  })
}
