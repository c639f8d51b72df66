import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { loadAgentConfig } from '../../../../agent/program/configuration/config.ts'
import {
  policyOptions,
  purchaseSettings,
} from '../../../../agent/program/configuration/purchasing.ts'
import { parseAddress } from '../../../../protocol/index.ts'
import { temporaryFolder } from '../../../support/folder.ts'

const token = { symbol: 'TKN', decimals: 2 }
const someAddress = parseAddress(`0x${'12'.repeat(20)}`)
const least = `rpc: http://127.0.0.1:8545\ncontract: ${someAddress}\nkey: k\n`

async function load(t: ExecutionContext, more = '', environment: NodeJS.ProcessEnv = {}) {
  const file = join(await temporaryFolder(t), 'agent.yaml')
  await writeFile(file, least + more)
  return loadAgentConfig(file, environment)
}

async function policy(...given: Parameters<typeof load>) {
  return policyOptions(purchaseSettings(await load(...given)), token)
}

test('what is not written limits nothing', async (t) => {
  const config: unknown = await policy(t)
  t.deepEqual(config, {
    timeout: 30_000,
    budget: { receivers: {}, jobs: {} },
    deposit: {},
  })
})

test('amounts become smallest units, multiples follow the price', async (t) => {
  const { budget, deposit, receivers } = await policy(
    t,
    `budget: { request: 0.1 TKN, hour: 7 units, month: 3, jobs: { weather: { day: 1 TKN } } }
deposit: { open: 12x, topUp: 0.5, most: 2 TKN, mostInAll: 9 TKN }
receivers:
  a: { url: http://a, address: ${someAddress}, budget: { total: 4 } }
  b: { url: http://b }
`,
    { URAIDEN_AGENT_BUDGET_HOUR: '8 units', URAIDEN_AGENT_KEY_PASSWORD: 'x' },
  )
  t.deepEqual<unknown, unknown>(budget, {
    request: 10n,
    hour: 8n,
    month: 300n,
    receivers: { [someAddress]: { total: 400n } },
    jobs: { weather: { day: 100n } },
  })
  t.deepEqual([deposit.open?.(3n, 900n), deposit.topUp?.(3n, 900n)], [36n, 50n])
  t.like(deposit, { most: 200n, mostInAll: 900n })
  t.deepEqual(receivers, [someAddress])
})

const fee = 10n ** 14n

for (const [deposit, open, topUp] of [
  // 0.0001 ETH are 0.25 TKN, of two decimals.
  ['{ etherPrice: 2500 TKN }', 2500n, 2500n],
  ['{ etherPrice: 2500 TKN, feeShare: 0.5% }', 5000n, 5000n],
  ['{ etherPrice: 2500 TKN, feeShare: 100% }', 25n, 25n],
  ['{ etherPrice: 2500 TKN, for: 30d }', 2500n, 2500n],
  ['{ etherPrice: 2500 TKN, open: 10x }', 0n, 2500n],
  ['{ etherPrice: 2500 TKN, topUp: 1 TKN }', 2500n, 0n],
  ['{ feeShare: 1% }', undefined, undefined],
] as const) {
  test(`what is worth its fee: ${deposit}`, async (t) => {
    const { least } = (await policy(t, `deposit: ${deposit}\n`)).deposit
    t.deepEqual([least?.('open', fee), least?.('topUp', fee)], [open, topUp])
  })
}

for (const text of ['0%', '101%', '1', '1.234%', '-1%']) {
  test(`no share of a fee: ${text}`, async (t) => {
    await t.throwsAsync(load(t, `deposit: { feeShare: '${text}' }\n`), {
      code: 'config_invalid',
      message: /is not a share/,
    })
  })
}

test('certificates are read from their files', async (t) => {
  const file = join(await temporaryFolder(t), 'ca.pem')
  await writeFile(file, 'PEM')
  const options = await policy(t, `tls: { authority: ${file} }\n`)
  t.deepEqual(options.tls, { authority: 'PEM' })
  await t.throwsAsync(policy(t, 'tls: { pinned: /no/such/file }\n'), {
    code: 'config_file_unreadable',
    message: /tls\.pinned/,
  })
})

for (const [timeout, interval] of [
  [1, 0.05],
  [86_400, 60],
] as const) {
  test(`waits are in seconds: ${timeout}, ${interval}`, async (t) => {
    const options = await policy(t, `confirmTimeout: ${timeout}\nretryInterval: ${interval}\n`)
    t.like(options, { confirmTimeout: timeout * 1000, retryInterval: interval * 1000 })
  })
}

test('a gas price is in gwei', async (t) => {
  const options = await policy(t, 'mostGasPrice: 1.5 gwei\n')
  t.is(options.mostFeePerGas, 1_500_000_000n)
})

test('an amount in another token is refused as soon as the token is known', async (t) => {
  await t.throwsAsync(policy(t, 'budget: { hour: 1 RDN }\n'), { code: 'wrong_token' })
  await t.throwsAsync(policy(t, 'budget: { hour: 0.001 TKN }\n'), { code: 'too_many_decimals' })
})

test('what transactions may cost is in ether and in numbers of channels', async (t) => {
  const { budget } = await policy(
    t,
    `budget:
  ether: { day: 0.01 ETH, total: 1.5 }
  openings: { day: 3 }
  openingsPerReceiver: { day: 1, total: 0 }
`,
  )
  t.deepEqual<unknown, unknown>(budget, {
    receivers: {},
    jobs: {},
    ether: { day: 10n ** 16n, total: 15n * 10n ** 17n },
    openings: { day: 3n },
    openingsPerReceiver: { day: 1n, total: 0n },
  })
})

const usd = `assets:
  USD: { address: ${someAddress}, chainId: 8453, decimals: 6, rpc: http://base }
`

test('amounts name their token: each asset has caps of its own beside the channels’ token', async (t) => {
  const { budget } = await policy(
    t,
    `${usd}budget:
  request: [0.1 TKN, 0.02 USD]
  day: [1 TKN, 0.5 USD]
  month: 9 USD
  jobs: { weather: { day: 0.1 USD } }
receivers:
  shop: { url: http://a, payTo: ${someAddress}, pay: [x402, rdn], budget: { hour: [2 TKN, 0.2 USD] } }
proxy:
  programs: { radio: { token: t, budget: { total: 1 USD } } }
`,
  )
  t.deepEqual<unknown, unknown>(budget, {
    ...{ request: 10n, day: 100n },
    receivers: { [someAddress]: { hour: 200n } },
    jobs: { weather: {}, 'proxy/radio': {} },
    assets: {
      USD: {
        unit: { symbol: 'USD', decimals: 6 },
        ...{ request: 20_000n, day: 500_000n, month: 9_000_000n },
        receivers: { [someAddress]: { hour: 200_000n } },
        jobs: { weather: { day: 100_000n }, 'proxy/radio': { total: 1_000_000n } },
      },
    },
  })
})

test('assets go to the agent by address and chain', async (t) => {
  const config = await load(
    t,
    `chainId: 5
${usd}  EURO-X: { address: ${someAddress}, chainId: 5, decimals: 2, name: E, version: '1', confirmations: 3 }
budget: { day: [1 USD, 1 EURO-X] }
x402: { validFor: 2m }
`,
  )
  t.deepEqual(purchaseSettings(config).x402, {
    validFor: 120,
    assets: [
      {
        ...{ name: 'USD', address: someAddress, chainId: 8453n, decimals: 6 },
        ...{ rpcUrl: ['http://base'], confirmations: 12 },
      },
      {
        ...{ name: 'EURO-X', address: someAddress, chainId: 5n, decimals: 2 },
        ...{ rpcUrl: ['http://127.0.0.1:8545'], confirmations: 3 },
        domain: { name: 'E', version: '1' },
      },
    ],
  })
})

const wrongAssets: readonly (readonly [text: string, why: RegExp])[] = [
  [usd, /assets\.USD\.address: .*has no cap/],
  [`${usd}budget: { request: 1 USD }`, /has no cap/],
  ['receivers: { a: { url: http://a, pay: [x402] } }', /receivers\.a\.pay: .*there is no asset/],
  ['receivers: { a: { url: http://a, pay: [] } }', /receivers\.a\.pay/],
  ['receivers: { a: { url: http://a, pay: [rdn, rdn] } }', /name each of them once/],
  [
    `assets: { USD: { address: ${someAddress}, chainId: 1, decimals: 6 } }\nbudget: { day: 1 USD }`,
    /assets\.USD\.rpc: its chain is not that of "rpc"/,
  ],
  [usd.replace('decimals', 'name: Dollar, decimals'), /give "name" and "version", or neither/],
  [usd.replace('USD', 'U S'), /"U S" is no name of an asset/],
  [usd.replace('USD', 'units'), /"units" is no name of an asset/],
]

for (const [text, why] of wrongAssets) {
  test(`refused: ${text.replaceAll('\n', ' ')}`, async (t) => {
    await t.throwsAsync(load(t, text), { message: why })
  })
}

test('two amounts of one token, and an asset that is called as the token is, are refused', async (t) => {
  const twice = `${usd}budget: { day: [1 USD, 2 USD] }`
  await t.throwsAsync(policy(t, twice), { message: /two amounts of the same token/ })
  const same = `${usd.replace('USD', 'TKN')}budget: { day: 1 TKN }`
  await t.throwsAsync(policy(t, same), { message: /An asset is called TKN/ })
})
