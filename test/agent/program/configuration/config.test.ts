import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import {
  loadAgentConfig,
  policyOptions,
  resolveUrl,
} from '../../../../agent/program/configuration/config.ts'
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

test('what is not written limits nothing', async (t) => {
  const config: unknown = policyOptions(await load(t), token)
  t.deepEqual(config, {
    rpcUrl: 'http://127.0.0.1:8545',
    contract: someAddress,
    timeout: 30_000,
    budget: { receivers: {}, jobs: {} },
    deposit: {},
  })
})

test('amounts become smallest units, multiples follow the price', async (t) => {
  const { budget, deposit, receivers } = policyOptions(
    await load(
      t,
      `budget: { request: 0.1 TKN, hour: 7 units, month: 3, jobs: { weather: { day: 1 TKN } } }
deposit: { open: 12x, topUp: 0.5, most: 2 TKN, mostInAll: 9 TKN }
receivers:
  a: { url: http://a, address: ${someAddress}, budget: { total: 4 } }
  b: { url: http://b }
`,
      { URAIDEN_AGENT_BUDGET_HOUR: '8 units', URAIDEN_AGENT_KEY_PASSWORD: 'x' },
    ),
    token,
  )
  t.deepEqual<unknown, unknown>(budget, {
    request: 10n,
    hour: 8n,
    month: 300n,
    receivers: { [someAddress]: { total: 400n } },
    jobs: { weather: { day: 100n } },
  })
  t.deepEqual([deposit.open?.(3n), deposit.topUp?.(3n)], [36n, 50n])
  t.like(deposit, { most: 200n, mostInAll: 900n })
  t.deepEqual(receivers, [someAddress])
})

test('certificates are read from their files', async (t) => {
  const file = join(await temporaryFolder(t), 'ca.pem')
  await writeFile(file, 'PEM')
  const options = policyOptions(await load(t, `tls: { authority: ${file} }\n`), token)
  t.deepEqual(options.tls, { authority: 'PEM' })
  const missing = await load(t, 'tls: { pinned: /no/such/file }\n')
  t.throws(() => policyOptions(missing, token), {
    code: 'config_file_unreadable',
    message: /tls\.pinned/,
  })
})

test('a gas price is in gwei', async (t) => {
  const options = policyOptions(await load(t, 'mostGasPrice: 1.5 gwei\n'), token)
  t.is(options.mostFeePerGas, 1_500_000_000n)
})

test('an amount in another token is refused as soon as the token is known', async (t) => {
  const config = await load(t, 'budget: { hour: 1 RDN }\n')
  t.throws(() => policyOptions(config, token), { code: 'wrong_token' })
  const fine = await load(t, 'budget: { hour: 0.001 TKN }\n')
  t.throws(() => policyOptions(fine, token), { code: 'too_many_decimals' })
})

const wrong: readonly (readonly [text: string, key: RegExp])[] = [
  ['deposit: { open: 0x }', /:4 deposit\.open: "0x"/],
  ['deposit: { open: 1.5x }', /:4 deposit\.open: "1\.5x"/],
  ['budget: { hour: -1 }', /:4 budget\.hour: "-1" is not an amount/],
  ['receivers: { A: { url: http://a } }', /:4 receivers\.A/],
  ['receivers: { a: { url: http://a, budget: { hour: 1 } } }', /needs its "address"/],
  ['timeZone: Mars/Olympus', /:4 timeZone: "Mars\/Olympus"/],
  ['reservation: 0', /:4 reservation: 0/],
  ['reservation: 1.5', /:4 reservation: 1\.5/],
  ['mostGasPrice: 0', /:4 mostGasPrice: "0" pays for no transaction/],
  ['mostGasPrice: 5 wei', /:4 mostGasPrice: /],
  ['timeout: 3601', /:4 timeout: 3601/],
  ['tls: { authority: a, pinned: b }', /:4 tls: .*not both/],
  ['history: -1', /:4 history: -1/],
  ['history: 100001', /:4 history: 100001/],
  ['chainId: 0', /:4 chainId: 0/],
  ['rpc2: x', /:4 rpc2: there is no such setting/],
]
for (const [text, message] of wrong) {
  test(`refused: ${text}`, async (t) => {
    await t.throwsAsync(load(t, `${text}\n`), { code: 'config_invalid', message })
  })
}

test('a URL may begin with a receiver’s name', async (t) => {
  const config = await load(t, 'receivers: { a-b: { url: http://h:5/base/ } }\n')
  t.is(resolveUrl(config, 'a-b/x/y?z=1').href, 'http://h:5/base/x/y?z=1')
  t.is(resolveUrl(config, 'http://other/x').href, 'http://other/x')
  for (const text of ['c/x', 'constructor/x', 'ftp://x', 'http://', '']) {
    t.throws(() => resolveUrl(config, text), { code: 'not_a_url' }, text)
  }
})
