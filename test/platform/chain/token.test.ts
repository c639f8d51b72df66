// Tokens that do not say what they are as ERC-20 does, and contracts that take less than their owner thinks.
import anyTest, { type ExecutionContext, type TestFn } from 'ava'
import { AbiCoder } from 'ethers'
import { connectChain } from '../../../platform/chain/index.ts'
import { lookAtContract } from '../../../platform/cli/doctor.ts'
import { formatAmount, parseAmount } from '../../../protocol/index.ts'
import {
  type DeployedContracts,
  deployTestContracts,
  type EmbeddedChain,
  startEmbeddedChain,
} from '../../lab/chains/embedded-chain.ts'
import { type Fault, startFaultyRpc } from '../../support/faulty-rpc.ts'

const test = anyTest as TestFn<{ embedded: EmbeddedChain; deployed: DeployedContracts }>

test.before(async (t) => {
  const embedded = await startEmbeddedChain()
  t.context = { embedded, deployed: await deployTestContracts(embedded.wallet(0)) }
})
test.after.always((t) => t.context.embedded.close())

const selectors = { symbol: '0x95d89b41', decimals: '0x313ce567', name: '0x06fdde03' } as const
type Field = keyof typeof selectors

async function given(
  t: ExecutionContext<{ embedded: EmbeddedChain; deployed: DeployedContracts }>,
  said: Partial<Record<Field, Fault>>,
) {
  const { embedded, deployed } = t.context
  const { url } = await startFaultyRpc(t, embedded.rpcUrl, ({ method, params }) => {
    if (method !== 'eth_call') return undefined
    const { data } = params[0] as { readonly data: string }
    const field = (Object.keys(selectors) as Field[]).find((each) => selectors[each] === data)
    return field && said[field]
  })
  const chain = await connectChain({ rpcUrl: url, contract: deployed.channelsAddress })
  t.teardown(() => chain.close())
  return chain
}

const bytes32 = (text: string): Fault => ({
  answer: `0x${Buffer.from(text).toString('hex').padEnd(64, '0')}`,
})
const text = (value: string): Fault => ({
  answer: AbiCoder.defaultAbiCoder().encode(['string'], [value]),
})
const reverts: Fault = { error: { code: 3, message: 'execution reverted', data: '0x' } }

for (const [title, said, expected] of [
  ['bytes32', { symbol: bytes32('MKR'), name: bytes32('Maker') }, { symbol: 'MKR', name: 'Maker' }],
  ['32 letters', { symbol: bytes32('x'.repeat(32)) }, { symbol: 'x'.repeat(32) }],
  ['no symbol', { symbol: reverts }, { symbol: 'tokens', decimals: 18 }],
  ['a fallback that answers nothing', { symbol: { answer: '0x' } }, { symbol: 'tokens' }],
  ['invalid opcode', { symbol: { refuse: 'invalid opcode: INVALID' } }, { symbol: 'tokens' }],
  ['no decimals', { decimals: reverts }, { decimals: 0 }],
  ['no name', { name: reverts }, { name: '' }],
  ['a digit first', { symbol: text('1INCH') }, { symbol: '1INCH' }],
  ['a space', { symbol: text('USD Coin') }, { symbol: 'USD Coin' }],
  ['what steers a terminal', { symbol: text('\u001b[2J\nX') }, { symbol: '[2J X' }],
  ['nothing at all', { symbol: text('') }, { symbol: 'tokens' }],
] as const) {
  test.serial(`a token with ${title} can be used`, async (t) => {
    const token = await (await given(t, said)).tokenFacts()
    t.like(token, expected)
    t.is(parseAmount(formatAmount(7n, token), token), 7n)
  })
}

for (const [title, said, code] of [
  ['symbol is cut', { symbol: { answer: `0x${'00'.repeat(31)}20` } }, undefined],
  ['symbol is broken', { symbol: { answer: `0x${'ff'.repeat(96)}` } }, 'node_wrong'],
  ['decimals are too many', { decimals: { answer: `0x${'100'.padStart(64, '0')}` } }, 'node_wrong'],
  ['node is limited', { symbol: { status: 429 } }, 'chain_unavailable'],
] as const) {
  test.serial(`what is not known of a token is not made up: the ${title}`, async (t) => {
    const chain = await given(t, said)
    if (code === undefined) t.is((await chain.tokenFacts()).symbol, 'tokens')
    else await t.throwsAsync(chain.tokenFacts(), { code })
  })
}

test.serial(
  'doctor tells the most that a channel can hold, and of tokens that it is too little for',
  async (t) => {
    const usual = await lookAtContract(await given(t, {}))
    t.is(usual.verdict, 'ok')
    t.regex(usual.says, /at most 4722\.366482869645213695 TKN in a channel/)
    const word = (value: number): Fault => ({ answer: `0x${value.toString(16).padStart(64, '0')}` })
    for (const [decimals, verdict] of [
      [21, 'ok'],
      [22, 'warning'],
      [24, 'warning'],
    ] as const) {
      const found = await lookAtContract(await given(t, { decimals: word(decimals) }))
      t.is(found.verdict, verdict)
      if (verdict === 'warning') t.regex(found.says, /less than one TKN, which has 2[24] decimals/)
    }
  },
)

const anyChain = { number: '0x5', hash: `0x${'1'.repeat(64)}`, parentHash: `0x${'2'.repeat(64)}` }

for (const [title, seen, more, isRefused] of [
  ['as it is', undefined, {}, false],
  ['Arbitrum', '0x1312d00', { l1BlockNumber: '0x1312d00' }, false],
  ['neither its own nor those below', '0x1312d01', { l1BlockNumber: '0x1312d00' }, true],
  ['both too near to be told apart', '0x15', { l1BlockNumber: '0x15' }, true],
  ['a chain that says nothing of it', '0x1312d00', {}, true],
  ['a chain over one with fewer blocks', '0x0', { number: '0x100' }, true],
  ['Arbitrum, at a node that runs no code', 'refused', { l1BlockNumber: '0x1312d00' }, true],
  ['a node that runs no code', 'refused', {}, false],
  ['a rollup whose contracts see its own blocks', '0x5', { l1BlockNumber: '0x1312d00' }, false],
  ['calls in the next block', '0x6', {}, false],
  ['16 blocks apart', '0x15', {}, false],
  ['17 blocks apart', '0x16', {}, true],
] as const) {
  test.serial(`block numbers in contracts: ${title}`, async (t) => {
    const { embedded, deployed } = t.context
    const { url } = await startFaultyRpc(t, embedded.rpcUrl, ({ method, params }) => {
      if (seen === undefined) return undefined
      if (method === 'eth_getBlockByNumber') {
        return { answer: { ...anyChain, timestamp: '0x1', ...more } }
      }
      if (method !== 'eth_call' || 'to' in (params[0] as object)) return undefined
      return seen === 'refused'
        ? { refuse: 'missing "to"' }
        : { answer: `0x${seen.slice(2).padStart(64, '0')}` }
    })
    const chain = await connectChain({ rpcUrl: url, contract: deployed.channelsAddress })
    t.teardown(() => chain.close())
    if (!isRefused) t.is((await chain.contractFacts()).version, '0.4.0')
    else await t.throwsAsync(chain.contractFacts(), { code: 'chain_unsupported' })
  })
}
